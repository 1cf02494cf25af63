package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// classic makes one classic script out of the modules. While it runs for the
// first time, and only then, such a script can learn its own address.
func classic(options api.BuildOptions, banner string) api.BuildOptions {
	options.EntryPoints = []string{"www/iot.js"}
	options.Format = api.FormatIIFE
	options.Define = map[string]string{"import.meta.url": "iotScriptURL"}
	options.Banner = map[string]string{"js": banner +
		"(()=>{const iotScriptURL=globalThis.document?.currentScript?.src||globalThis.location?.href;"}
	options.Footer = map[string]string{"js": "})();"}
	return options
}

// bundle makes www/iot.global.js, to be read as well as run.
func bundle() error {
	files, err := run(classic(api.BuildOptions{Outfile: "www/iot.global.js"}, "// Made by \"make wasm\". Do not edit.\n"))
	if err != nil {
		return err
	}
	return os.WriteFile("www/iot.global.js", typed.ReplaceAll(files["iot.global.js"], nil), 0o644)
}

// typed are comments that only say types, which iot.global.d.ts says as well.
var typed = regexp.MustCompile(`(?m)^ *(?:/\*\*| \*) @(?:type|typedef|param|returns|template)\b.*\n`)

// private matches the names of properties that no other program uses. In www/iot they
// end in an underscore; in the toolchain's script they begin with one.
const private = `[A-Za-z0-9]_$|^_[A-Za-z]`

// reserved matches the names among them that Go's package syscall/js uses.
const reserved = `^_(?:makeFuncWrapper|pendingEvent)$`

// minified makes the scripts of a release, and their source maps, by name.
func minified(version string) (map[string][]byte, error) {
	banner := "/*! iot.wasm " + version + " | Apache-2.0 | THIRD-PARTY-LICENSES.txt */\n"
	options := api.BuildOptions{
		Plugins:           []api.Plugin{namedClasses},
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		MangleProps:       private,
		ReserveProps:      reserved,
		LegalComments:     api.LegalCommentsNone,
		Sourcemap:         api.SourceMapLinked,
	}
	module := options
	module.Format = api.FormatESModule
	module.Banner = map[string]string{"js": banner}
	// For a page with cognito.js there must be one IotError, and one client.
	module.External = []string{"./iot.js"}

	all := map[string][]byte{}
	for name, o := range map[string]api.BuildOptions{
		"iot.js":        module,
		"cognito.js":    module,
		"iot.global.js": classic(options, banner),
	} {
		if len(o.EntryPoints) == 0 {
			o.EntryPoints = []string{"www/" + name}
		}
		o.Outfile = name
		files, err := run(o)
		if err != nil {
			return nil, err
		}
		for name, data := range files {
			if strings.HasSuffix(name, ".map") {
				if data, err = withSources(data); err != nil {
					return nil, err
				}
			}
			all[name] = data
		}
	}
	if !bytes.Contains(all["iot.js"], []byte(wasmAddress)) {
		return nil, fmt.Errorf("iot.js has lost %s", wasmAddress)
	}
	return all, nil
}

// withSources puts the files as they are into a source map, in place of what the
// plugin below has made of them, line for line.
func withSources(sourceMap []byte) ([]byte, error) {
	var m map[string]any
	if err := json.Unmarshal(sourceMap, &m); err != nil {
		return nil, err
	}
	var contents []string
	for _, path := range m["sources"].([]any) {
		data, err := os.ReadFile(path.(string))
		if err != nil {
			return nil, err
		}
		contents = append(contents, string(data))
	}
	m["sourcesContent"] = contents
	return json.Marshal(m)
}

// wasmAddress is the expression by which bundlers find the wasm.
const wasmAddress = `new URL("iot.wasm",import.meta.url)`

// run bundles into memory, for browsers of the last few years, and returns the
// files by their last name.
func run(options api.BuildOptions) (map[string][]byte, error) {
	options.Bundle = true
	options.TsconfigRaw = "{}" // not one of a folder above
	options.Target = api.ES2022
	options.LogLevel = api.LogLevelWarning
	result := api.Build(options)
	if len(result.Errors) > 0 {
		return nil, fmt.Errorf("%s could not be made", options.Outfile)
	}
	files := map[string][]byte{}
	for _, f := range result.OutputFiles {
		files[f.Path[strings.LastIndexAny(f.Path, `/\`)+1:]] = f.Contents
	}
	return files, nil
}

// named are the classes whose objects a page sees in its console.
var named = regexp.MustCompile(`(?m)^export class (IotClient|IotError|Message|Subscription)\b[^{\n]*\{`)

// namedClasses keeps the names of those classes, and of no others: esbuild's own
// KeepNames would keep that of every function.
var namedClasses = api.Plugin{Name: "named classes", Setup: func(build api.PluginBuild) {
	build.OnLoad(api.OnLoadOptions{Filter: `[/\\]www[/\\]iot[/\\]\w+\.js$`}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
		data, err := os.ReadFile(args.Path)
		if err != nil {
			return api.OnLoadResult{}, err
		}
		text := named.ReplaceAllString(string(data), `$0 static name = "$1";`)
		return api.OnLoadResult{Contents: &text}, nil
	})
}}
