package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"iot.wasm/test/harness"
	"iot.wasm/wasm/mqtt"
)

// TestMatchesAgreesWithTheEngine compares iot.matches() with the router of wasm/mqtt for
// generated filters and topics, valid and invalid ones.
func TestMatchesAgreesWithTheEngine(t *testing.T) {
	const count = 400
	random := rand.New(rand.NewPCG(1, 1))
	var filters, topics []string
	for range count {
		filter := generateFilter(random)
		filters = append(filters, filter)
		topics = append(topics, generateTopic(random, filter))
	}

	var router mqtt.Router
	for i, filter := range filters {
		if mqtt.ValidFilter(filter) == nil {
			router.Add(filter, uint32(i))
		}
	}
	b := openModule(t, harness.Serve(t))
	var matched [][]uint32 // by topic: the indices of the filters
	b.Eval(fmt.Sprintf(`((filters, topics) => topics.map((topic) => filters.flatMap((filter, i) => (iot.matches(filter, topic) ? [i] : []))))(%s, %s)`,
		toJSON(t, filters), toJSON(t, topics)), &matched)
	total := 0
	for i, topic := range topics {
		var want []uint32
		if mqtt.ValidTopic([]byte(topic)) == nil {
			want = router.Match(topic, nil)
		}
		total += len(want)
		for j, filter := range filters {
			if got, want := slices.Contains(matched[i], uint32(j)), slices.Contains(want, uint32(j)); got != want {
				t.Errorf("iot.matches(%q, %q) is %t, and the result of the router is %t", filter, topic, got, want)
			}
		}
	}
	if total < 5*count {
		t.Errorf("only %d of the generated pairs of a filter and a topic match", total)
	}
	b.Is(`iot.matches(1, null)`, `false`)
}

// generateFilter draws a filter, which may be invalid.
func generateFilter(random *rand.Rand) string {
	filter := generateLevels(random, "a", "b", "c", "", "ü", "+", "+", "$SYS", "$share", "a+", "a#", "\x00")
	switch random.IntN(8) {
	case 0:
		return filter + "/#"
	case 1:
		return "#"
	case 2:
		return "+/" + filter
	case 3:
		return "$share/g/" + filter
	case 4:
		return pick(random, "$share/", "$share//", "$share/+/", "$share/#/", "$shared/") + filter
	}
	return filter
}

var share = regexp.MustCompile(`^\$share/[^/]*/`)

// generateTopic draws a topic, which may be invalid. It derives half of the topics from the
// filter. Most of these match the filter.
func generateTopic(random *rand.Rand, filter string) string {
	if random.IntN(2) == 0 {
		return generateLevels(random, "a", "b", "c", "", "ü", "$SYS", "$share", "+", "#")
	}
	filter = share.ReplaceAllString(filter, "")
	filter = strings.ReplaceAll(filter, "+", pick(random, "a", "b", "", "$SYS"))
	if above, ok := strings.CutSuffix(filter, "/#"); ok {
		return above + pick(random, "", "/", "/a", "/b/c")
	}
	return filter
}

func generateLevels(random *rand.Rand, from ...string) string {
	levels := make([]string, 1+random.IntN(4))
	for i := range levels {
		levels[i] = pick(random, from...)
	}
	return strings.Join(levels, "/")
}

func pick(random *rand.Rand, from ...string) string { return from[random.IntN(len(from))] }

func toJSON(t *testing.T, value any) []byte {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
