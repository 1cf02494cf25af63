package places

import (
	"fmt"
	"os/exec"
	"sync"
	"testing"
	"time"

	"iot.wasm/test/harness"
)

func TestNode(t *testing.T) {
	t.Parallel()
	for _, major := range []int{22, 20} {
		place := fmt.Sprintf("node-%d", major)
		t.Run(place, func(t *testing.T) {
			s := newSite(t, "node", www())
			node, err := harness.Node(major)
			if err != nil {
				t.Fatal(err)
			}
			p := harness.Start(t, exec.Command(node, "entry/node.mjs", s.web.URL, place))
			s.watchPlace(t, p, place)
			select {
			case <-p.Ended:
			case <-time.After(10 * time.Second):
				t.Error("Node does not end within 10 s after the suite")
			}
		})
	}
}

// declared returns the names that www/iot.d.ts declares, as JSON.
var declared = sync.OnceValues(func() ([]byte, error) {
	node, err := harness.Node(22)
	if err != nil {
		return nil, err
	}
	return exec.Command(node, "../types/members.mjs").Output()
})
