# make wasm     www/iot.wasm and its loader; needs Go alone; LEAN=1: a smaller one
# make dist     dist/, for npm and a CDN; needs Go alone
# make test     everything; installs what it lacks on Debian
# make sim      the simulation of a connection's life for SEEDS worlds (20000)
# make chaos    a page in bad times: SECONDS (300) of it from SEED on (drawn), and deliberate bugs
# make hostile  ten seconds of each packet at full speed, with a page that answers within 250 ms
# make lint     gofmt, vet and staticcheck, for the machine and for the browser
# make bench    beside the other clients, in Chromium; BENCHFLAGS=-quick
# make size     what is in the wasm, by package
# make fuzz     every fuzz target for FUZZTIME (30s)
# make clean    removes what make makes

GO ?= go
FUZZTIME ?= 30s
SEEDS ?= 20000
JS = GOOS=js GOARCH=wasm

.PHONY: wasm dist test lint native browser tools bench size fuzz sim chaos hostile clean

wasm:
	@$(GO) run ./internal/build $(if $(LEAN),-lean)

dist: wasm
	@$(GO) run ./internal/build $(if $(LEAN),-lean) -dist dist

test: lint tools wasm native browser

# The tool is built for this machine, and then looks at both targets.
lint:
	@files=$$(gofmt -l .); test -z "$$files" || { echo "gofmt would change: $$files"; exit 1; }
	$(GO) vet ./...
	$(JS) $(GO) vet ./wasm/...
	$(GO) tool staticcheck ./...
	$(JS) $$($(GO) tool -n staticcheck) ./wasm/...

native:
	$(GO) test -race -timeout 5m $$($(GO) list ./wasm/... ./internal/... | grep -v /sim)
	$(GO) test -timeout 8m ./wasm/client/sim

# What loads the machine on purpose runs by itself; the hostile broker only by make hostile.
browser:
	$(GO) test -count=1 -timeout 12m $$($(GO) list ./test/... | grep -vE '/(chaos|hostile)$$')
	$(GO) test -count=1 -timeout 12m ./test/chaos

# Three browsers, a second broker, and from npm what is to use the package.
tools:
	@test/tools chromium firefox-esr WebKitWebDriver:webkit2gtk-driver Xvfb:xvfb mosquitto npm
	@test test/npm/node_modules/.package-lock.json -nt test/npm/package-lock.json || npm ci --prefix test/npm --no-audit --no-fund

sim:
	$(GO) test -count=1 -timeout 60m ./wasm/client/sim -run '^TestSim$$' -seeds $(SEEDS)

chaos: wasm
	$(GO) test -count=1 -v -timeout 24h ./test/chaos -seed $(or $(SEED),0) -seconds $(or $(SECONDS),300) $(if $(SEED),,-mutants)

hostile: wasm
	$(GO) test -count=1 -v -timeout 60m ./test/hostile -for 10s -gap 250ms

bench: wasm
	@$(GO) run ./internal/build $(if $(LEAN),-lean) -dist dist -compress=false
	$(GO) run ./test/bench -www dist $(BENCHFLAGS)

size:
	@$(GO) run ./test/size/packages

fuzz:
	@for package in $$($(GO) list ./wasm/... ./internal/...); do \
		for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "$$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$package || exit 1; \
		done; \
	done

clean:
	rm -f www/iot.wasm www/wasm_exec.js www/iot.global.js
	rm -rf dist
