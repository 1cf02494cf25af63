package places

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func TestNode(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"node-22", "node-20"} {
		t.Run(version, func(t *testing.T) {
			s := newSite(t, "node")
			p := start(t, exec.Command(node(t, version), filepath.Join(root, "test/places/entry/node.mjs"), s.web.URL, version))
			s.watchPlace(t, p, version)
			select {
			case <-p.gone: // nothing keeps it
			case <-time.After(10 * time.Second):
				t.Error("Node does not come to its end by itself")
			}
		})
	}
}

// node is one of the versions that test/npm brings.
func node(t *testing.T, version string) string {
	t.Helper()
	path := filepath.Join(root, "test/npm/node_modules", version, "bin/node")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v; run: cd test/npm && npm ci", err)
	}
	return path
}

// declared are the names that www/iot.d.ts declares, as JSON.
var declared = sync.OnceValues(func() ([]byte, error) {
	return exec.Command(filepath.Join(root, "test/npm/node_modules/node-22/bin/node"), filepath.Join(root, "test/types/members.mjs")).Output()
})
