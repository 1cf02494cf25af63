package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/evanw/esbuild/pkg/api"
)

// install installs the clients with npm unless they are installed. It does not run their
// install scripts, which build native code for Node.
func install(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err == nil {
		return nil
	}
	log.Printf("installing the other clients: npm ci in %s", dir)
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-progress")
	npm.Dir = dir
	npm.Stdout, npm.Stderr = os.Stderr, os.Stderr
	if err := npm.Run(); err != nil {
		return fmt.Errorf("npm ci: %w", err)
	}
	return nil
}

// bundle bundles each client into a minified module. The files of /www/ are not bundled,
// because iot.wasm is published without a bundler.
func bundle() (map[string][]byte, error) {
	var entries []string
	for _, c := range connected {
		entries = append(entries, filepath.Join(dir, "page", "peers", c.name+".js"))
	}
	result := api.Build(api.BuildOptions{
		EntryPoints:       entries,
		Outdir:            filepath.Join(dir, "peers"),
		Bundle:            true,
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		LegalComments:     api.LegalCommentsNone,
		Format:            api.FormatESModule,
		Platform:          api.PlatformBrowser,
		Target:            api.ES2022,
		Define:            map[string]string{"global": "globalThis", "process.env.NODE_ENV": `"production"`},
		External:          []string{"/www/*"},
		LogLevel:          api.LogLevelError,
	})
	if len(result.Errors) > 0 {
		return nil, errors.New("the clients could not be bundled")
	}
	scripts := map[string][]byte{}
	for _, f := range result.OutputFiles {
		scripts["/peers/"+filepath.Base(f.Path)] = f.Contents
	}
	return scripts, nil
}

// versions returns the versions of the installed clients by name.
func versions() map[string]string {
	v := map[string]string{}
	for _, c := range clients {
		var description struct{ Version string }
		b, err := os.ReadFile(filepath.Join(dir, "node_modules", c.npm, "package.json"))
		if c.npm != "" && err == nil && json.Unmarshal(b, &description) == nil {
			v[c.name] = description.Version
		}
	}
	return v
}
