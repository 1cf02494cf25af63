.PHONY: wasm
wasm:
	@go run ./internal/build
