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

// classic changes options to bundle the modules into one classic script. The script reads
// its URL when it starts, because document.currentScript is null later.
func classic(options api.BuildOptions, banner string) api.BuildOptions {
	options.EntryPoints = []string{"www/iot.js"}
	options.Format = api.FormatIIFE
	options.Define = map[string]string{"import.meta.url": "iotScriptURL"}
	options.Banner = map[string]string{"js": banner +
		"(()=>{const iotScriptURL=globalThis.document?.currentScript?.src||globalThis.location?.href;"}
	options.Footer = map[string]string{"js": "})();"}
	return options
}

// bundle makes www/iot.global.js, which is not minified.
func bundle() error {
	files, err := runEsbuild(classic(api.BuildOptions{Outfile: "www/iot.global.js"}, "// Made by \"make wasm\". Do not edit.\n"))
	if err != nil {
		return err
	}
	return os.WriteFile("www/iot.global.js", typeComment.ReplaceAll(files["iot.global.js"], nil), 0o644)
}

// typeComment matches comments that contain only types. The types are in iot.global.d.ts.
var typeComment = regexp.MustCompile(`(?m)^ *(?:/\*\*| \*) @(?:type|typedef|param|returns|template)\b.*\n`)

// private matches the names of private properties, which esbuild may shorten. In www/iot
// these names end in an underscore. In the toolchain's wasm_exec.js they begin with one.
const private = `[A-Za-z0-9]_$|^_[A-Za-z]`

// reserved matches the private names that esbuild must keep, because Go's package
// syscall/js uses them.
const reserved = `^_(?:makeFuncWrapper|pendingEvent)$`

// minified returns the scripts of a release and their source maps, by file name.
func minified(version string) (map[string][]byte, error) {
	// Only iot.js and iot.global.js contain code of another project: the toolchain's wasm_exec.js.
	short := "/*! iot.wasm " + version + " | Apache-2.0 */\n"
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
	// The optional modules import iot.js, so that a page has one IotError and one client. A
	// bundler omits the import of shadow.js if the application does not use useShadow.
	module.External = []string{"./iot.js", "./shadow.js", "react", "vue"}
	optional := module
	optional.Banner = map[string]string{"js": short}

	all := map[string][]byte{}
	for name, o := range map[string]api.BuildOptions{
		"iot.js":        module,
		"cognito.js":    optional,
		"shadow.js":     optional,
		"jobs.js":       optional,
		"presence.js":   optional,
		"packets.js":    optional,
		"diagnose.js":   optional,
		"react.js":      optional,
		"vue.js":        optional,
		"iot.global.js": classic(options, banner),
	} {
		if len(o.EntryPoints) == 0 {
			o.EntryPoints = []string{"www/" + name}
		}
		o.Outfile = name
		files, err := runEsbuild(o)
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
		return nil, fmt.Errorf("iot.js does not contain %s", wasmAddress)
	}
	return all, nil
}

// withSources replaces the contents in a source map by those of the source files.
// namedClasses has changed the contents, but not the line numbers.
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

// wasmAddress is the expression by which bundlers recognise the wasm as an asset.
const wasmAddress = `new URL("iot.wasm",import.meta.url)`

// runEsbuild runs esbuild and returns its output files by base name.
func runEsbuild(options api.BuildOptions) (map[string][]byte, error) {
	options.Bundle = true
	options.TsconfigRaw = "{}" // ignores a tsconfig.json in a parent folder
	options.Target = api.ES2022
	options.LogLevel = api.LogLevelWarning
	result := api.Build(options)
	if len(result.Errors) > 0 {
		return nil, fmt.Errorf("esbuild cannot make %s", options.Outfile)
	}
	files := map[string][]byte{}
	for _, f := range result.OutputFiles {
		files[f.Path[strings.LastIndexAny(f.Path, `/\`)+1:]] = f.Contents
	}
	return files, nil
}

// publicClass matches the declarations of the public classes. A browser's console shows their
// names.
var publicClass = regexp.MustCompile(`(?m)^export class (IotClient|IotError|Message|Subscription)\b[^{\n]*\{`)

// namedClasses keeps the names of the public classes when identifiers are minified.
// KeepNames of esbuild would keep the names of all functions.
var namedClasses = api.Plugin{Name: "named classes", Setup: func(build api.PluginBuild) {
	build.OnLoad(api.OnLoadOptions{Filter: `[/\\]www[/\\]iot[/\\]\w+\.js$`}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
		data, err := os.ReadFile(args.Path)
		if err != nil {
			return api.OnLoadResult{}, err
		}
		text := publicClass.ReplaceAllString(string(data), `$0 static name = "$1";`)
		return api.OnLoadResult{Contents: &text}, nil
	})
}}
