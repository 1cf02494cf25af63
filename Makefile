GO ?= go
FUZZTIME ?= 30s
SEEDS ?= 20000
JS = GOOS=js GOARCH=wasm
BUILDFLAGS = $(if $(SNAPSHOT),-snapshot=$(SNAPSHOT))

.DEFAULT_GOAL := help
.PHONY: help wasm dist vendor test lint native browser tools bench size fuzz sim chaos hostile kill load demos screenshots frames clean

# "make help" prints the text after "##" in the line of each target.

help: ## list the targets
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | \
		while IFS='|' read -r target text; do printf 'make %-11s  %s\n' "$$target" "$$text"; done

wasm: ## build www/iot.wasm and its loader; needs Go only; SNAPSHOT=false: the start of the program runs in the page
	@$(GO) run ./internal/build $(BUILDFLAGS)

dist: wasm ## build dist/, for npm and a CDN; needs Go only
	@$(GO) run ./internal/build $(BUILDFLAGS) -dist dist

vendor: ## make www/console/vendor/ from the npm packages of test/npm; needs tools
	$(GO) run ./internal/vendor

test: lint tools wasm native browser ## run all tests except the long runs below; installs missing programs on Debian

lint: ## run gofmt, vet and staticcheck, for this machine and for the browser
	@files=$$(gofmt -l .); test -z "$$files" || { echo "gofmt would change: $$files"; exit 1; }
	$(GO) vet ./...
	$(JS) $(GO) vet -tags snapshot ./wasm/...
	$(GO) tool staticcheck ./...
	@# "go tool -n" builds staticcheck for this machine. It then checks the sources for the browser.
	$(JS) $$($(GO) tool -n staticcheck) -tags snapshot ./wasm/...

native: ## run the tests of wasm/ and internal/, with the race detector, and the simulation
	$(GO) test -race -timeout 5m $$($(GO) list ./wasm/... ./internal/... | grep -v /sim)
	$(GO) test -timeout 8m ./wasm/client/sim

browser: ## run the tests of test/, in browsers and Node; needs tools and wasm
	@# The tests mostly wait for browsers, so three packages run at once, also on a machine with two cores.
	$(GO) test -p 3 -count=1 -timeout 30m $$($(GO) list ./test/... | grep -vE '/(chaos|hostile)$$')
	@# These tests load the machine, so each runs alone.
	$(GO) test -count=1 -timeout 12m ./test/chaos
	$(GO) test -count=1 -timeout 12m ./test/hostile

tools: ## install what the tests of test/ need: browsers, mosquitto, ejabberd, shellcheck, the AWS CLI, npm packages
	@test/tools chromium firefox-esr WebKitWebDriver:webkit2gtk-driver Xvfb:xvfb mosquitto ejabberdctl:ejabberd shellcheck npm \
		/usr/lib/python3/dist-packages/paho/mqtt/client.py:python3-paho-mqtt aws:awscli
	@test test/npm/node_modules/.package-lock.json -nt test/npm/package-lock.json || npm ci --prefix test/npm --no-audit --no-fund
	@# The packages contain the programs that their install scripts would build.
	@test test/interop/node_modules/.package-lock.json -nt test/interop/package-lock.json || \
		npm ci --prefix test/interop --ignore-scripts --no-audit --no-fund

sim: ## run the simulation of the client, with SEEDS (20000) seeds
	$(GO) test -count=1 -timeout 60m ./wasm/client/sim -run '^TestSim$$' -seeds $(SEEDS)

chaos: wasm ## test a page in a bad network for SECONDS (300), then with deliberate bugs; SEED=n: the seed of the first round; no bugs
	$(GO) test -count=1 -v -timeout 24h ./test/chaos -seed $(or $(SEED),0) -seconds $(or $(SECONDS),300) $(if $(SEED),,-mutants)

hostile: wasm ## test a hostile broker: 10 s for each attack; the page must respond within 250 ms
	$(GO) test -count=1 -v -timeout 60m ./test/hostile -for 10s -gap 250ms

kill: wasm ## kill the stand-in KILLS (200) times under load, and check that it has lost nothing that it had acknowledged
	$(GO) test -count=1 -v -timeout 60m ./test/kill -kills $(or $(KILLS),200)

load: wasm ## send 10,000 messages a second through the stand-in to 500 connections for SECONDS (60)
	$(GO) test -count=1 -v -timeout 60m ./test/load -connections 500 -deliveries 10000 -for $(or $(SECONDS),60)s

bench: wasm ## compare this and other clients in Chromium; BENCHFLAGS=-quick: a short run; BENCHFLAGS='-rounds 7 -publish': write docs/performance.md
	@$(GO) run ./internal/build -dist dist -compress=false
	$(GO) run ./test/bench -www dist $(BENCHFLAGS)

demos: wasm ## build the demos of React and Vue with Vite, into www/demos/*/dist; needs npm
	@$(GO) run ./internal/build -dist dist -compress=false
	@for demo in www/demos/react www/demos/vue; do \
		rm -rf $$demo/node_modules/iot.wasm && npm install --prefix $$demo && npm run --prefix $$demo build || exit 1; \
	done

screenshots: wasm ## write pictures of the demos to www/demos/pictures/, and of the console page to docs/: light, dark, and 360 pixels wide
	$(GO) test -count=1 ./test/demos -run '^TestScreenshots$$' -screenshots $(CURDIR)/www/demos/pictures
	$(GO) test -count=1 ./test/console -run '^TestScreenshots$$' -screenshots $(CURDIR)/docs

frames: wasm ## measure the frames of the demos and of the console page; the figures depend on the machine
	$(GO) test -count=1 -v -timeout 20m ./test/demos -run '^TestFrames' -measure
	$(GO) test -count=1 -v -timeout 20m ./test/console -run '^TestFrames' -measure

size: ## list the sizes of the packages in the wasm
	@$(GO) run ./test/size/packages

fuzz: ## run each fuzz target for FUZZTIME (30s)
	@for package in $$($(GO) list ./wasm/... ./internal/...); do \
		for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "$$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$package || exit 1; \
		done; \
	done

clean: ## remove the built files
	rm -f www/iot.wasm www/wasm_exec.js www/iot.global.js www/demos/embed.html
	rm -rf dist www/demos/*/dist www/demos/*/node_modules
