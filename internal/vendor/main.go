// Command vendor makes the third-party files of the console page in www/console/vendor/ from
// the npm packages in test/npm. "make vendor" runs it. The command must run in the root
// folder of the project.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/evanw/esbuild/pkg/api"
)

// A library is a file of www/console/vendor/ that contains a part of an npm package.
type library struct {
	Name    string // the name of the npm package
	Out     string // the name of the file: a module (.js) or a stylesheet (.css)
	Source  string // the text of a module that exports what the page uses, or of a stylesheet
	Licence string // the path of the licence in the package
}

// libraries are all third-party files of the page. The licence of x.js becomes x.LICENSE.txt.
var libraries = []library{
	{Name: "cborg", Out: "cbor.js", Source: `export { decode } from "cborg";`, Licence: "LICENSE"},
	{Name: "uplot", Out: "uplot.js", Source: `export { default } from "uplot";`, Licence: "LICENSE"},
	{Name: "uplot", Out: "uplot.css", Source: `@import "uplot/dist/uPlot.min.css";`, Licence: "LICENSE"},
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("vendor: ")
	out := flag.String("o", "www/console/vendor", "write the files to this `folder`")
	flag.Parse()
	if err := os.MkdirAll(*out, 0o755); err != nil {
		log.Fatal(err)
	}
	for _, l := range libraries {
		if err := l.write(*out); err != nil {
			log.Fatal(err)
		}
	}
}

// write makes the file and its licence in the folder dir.
func (l library) write(dir string) error {
	folder := filepath.Join("test/npm/node_modules", l.Name)
	text, err := os.ReadFile(filepath.Join(folder, "package.json"))
	if err != nil {
		return fmt.Errorf("%w; run: npm ci --prefix test/npm", err)
	}
	var info struct{ Version, License string }
	if err := json.Unmarshal(text, &info); err != nil {
		return fmt.Errorf("package.json of %s: %w", l.Name, err)
	}
	legal, err := os.ReadFile(filepath.Join(folder, l.Licence))
	if err != nil {
		return err
	}
	kind := filepath.Ext(l.Out)
	licenceFile := l.Out[:len(l.Out)-len(kind)] + ".LICENSE.txt"
	banner := fmt.Sprintf("/*! %s %s | %s | %s | Made by \"make vendor\". Do not edit. */", l.Name, info.Version, info.License, licenceFile)
	script, loader := banner, api.LoaderJS
	style := ""
	if kind == ".css" {
		script, style, loader = "", banner, api.LoaderCSS
	}
	result := api.Build(api.BuildOptions{
		Stdin:             &api.StdinOptions{Contents: l.Source, ResolveDir: "test/npm", Loader: loader, Sourcefile: l.Out},
		Outfile:           l.Out,
		Bundle:            true,
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		LegalComments:     api.LegalCommentsNone,
		Format:            api.FormatESModule,
		Target:            api.ES2022,
		TsconfigRaw:       "{}", // ignores a tsconfig.json in a parent folder
		Banner:            map[string]string{"js": script, "css": style},
		LogLevel:          api.LogLevelWarning,
	})
	if len(result.Errors) > 0 || len(result.OutputFiles) != 1 {
		return errors.New("esbuild cannot make " + l.Out)
	}
	if err := os.WriteFile(filepath.Join(dir, licenceFile), legal, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, l.Out), result.OutputFiles[0].Contents, 0o644)
}
