package harness

import (
	"os"
	"path/filepath"
)

// LinkModules links npm packages of test/npm into the project in the folder dir.
func LinkModules(dir string, packages ...string) error {
	modules, err := Modules()
	if err != nil {
		return err
	}
	for _, name := range packages {
		link := filepath.Join(dir, "node_modules", name)
		if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
			return err
		}
		if err := os.Symlink(filepath.Join(modules, name), link); err != nil {
			return err
		}
	}
	return nil
}

// Vite builds the project in the folder dir with Vite, into its folder dist. The environment is "production" or
// "development". It selects the version of the frameworks: with "development", React's StrictMode mounts each component
// twice. The error contains the output of Vite.
func Vite(dir, environment string) error {
	node, err := Node(22)
	if err != nil {
		return err
	}
	modules, err := Modules()
	if err != nil {
		return err
	}
	return Command(dir, "env", "NODE_ENV="+environment, node, filepath.Join(modules, "vite/bin/vite.js"), "build")
}
