package mqtt

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestValidTopic(t *testing.T) {
	for topic, want := range map[string]error{
		"a": nil, "/": nil, "a//b": nil, "$SYS/x": nil, " ": nil, "ü/\uFEFF": nil,
		"": errTopicEmpty, "a/+": errTopicWildcard, "#": errTopicWildcard, "a+": errTopicWildcard,
		"a\x00b": errTopicNUL, "\xed\xa0\x80": errTopicUTF8, "\xff": errTopicUTF8,
		strings.Repeat("x", 65535): nil, strings.Repeat("x", 65536): errTopicTooLong,
	} {
		if err := ValidTopic([]byte(topic)); !errors.Is(err, want) {
			t.Errorf("ValidTopic(%.20q) returns %v, want %v", topic, err, want)
		}
	}
}

func TestValidFilter(t *testing.T) {
	for filter, want := range map[string]error{
		"#": nil, "+": nil, "a/+/b/#": nil, "+/+": nil, "/#": nil, "$share/g/a/#": nil, "$share/g//": nil, "$shared": nil,
		"": errTopicEmpty, "a#": errFilterHash, "a/#/b": errFilterHash, "##": errFilterHash, "a+/b": errFilterPlus, "++": errFilterPlus,
		"$share/": errFilterShare, "$share/g": errFilterShare, "$share/g/": errFilterShare, "$share//a": errFilterShare,
		"$share/g+/a": errFilterShare, "$share/#/a": errFilterShare, "$share/g/a#": errFilterHash,
		"a\x00": errTopicNUL, "\xc0\x80": errTopicUTF8,
	} {
		if err := ValidFilter(filter); !errors.Is(err, want) {
			t.Errorf("ValidFilter(%q) returns %v, want %v", filter, err, want)
		}
	}
}

var matches = []struct {
	filter, topic string
	want          bool
}{
	{"a", "a", true}, {"a", "b", false}, {"a", "a/b", false}, {"a/b", "a", false}, {"a", "A", false},
	{"a/#", "a", true}, {"a/#", "a/b/c", true}, {"a/#", "ab", false}, {"#", "a/b", true}, {"#", "/", true},
	{"+", "a", true}, {"+", "/a", false}, {"+/+", "/a", true}, {"/+", "/a", true}, {"a/+", "a", false}, {"a/+", "a/", true},
	{"a/+/c", "a/b/c", true}, {"a/+/c", "a//c", true}, {"+/#", "a", true}, {"a/+/#", "a/b", true}, {"a/+/#", "a", false},
	{"#", "$SYS/a", false}, {"+/a", "$SYS/a", false}, {"$SYS/#", "$SYS/a", true}, {"$SYS/+", "$SYS/a", true}, {"a/#", "a/$b", true}, {"a/+", "a/$b", true},
	{"$share/g/a/+", "a/b", true}, {"$share/g/a", "$share/g/a", false}, {"$share/g/#", "$SYS/a", false}, {"$share/g/$SYS/#", "$SYS/a", true},
	{"$shared/a", "$shared/a", true},
}

func TestMatch(t *testing.T) {
	for _, c := range matches {
		if got := Match(c.filter, c.topic); got != c.want {
			t.Errorf("Match(%q, %q) = %v", c.filter, c.topic, got)
		}
		var r Router
		r.Add(c.filter, 7)
		if got := len(r.Match(c.topic, nil)) == 1; got != c.want {
			t.Errorf("Router: %q matches %q: %v, want %v", c.filter, c.topic, got, c.want)
		}
	}
}

func TestRouterRemove(t *testing.T) {
	var r Router
	filters := []string{"a/b", "a/+", "a/#", "#", "$share/g/a/b", "$share/h/a/b", "+/b"}
	for i, f := range filters {
		r.Add(f, uint32(i))
	}
	if got := r.Match("a/b", nil); !slices.Equal(got, []uint32{0, 1, 2, 3, 4, 5, 6}) {
		t.Errorf("with all filters, Match returns %v", got)
	}
	for i, f := range filters {
		before := r.Version()
		r.Remove(f, uint32(i))
		if r.Version() == before {
			t.Error("the version did not change")
		}
		if slices.Contains(r.Match("a/b", nil), uint32(i)) {
			t.Errorf("%q was not removed", f)
		}
	}
	if len(r.root.next)+len(r.root.exact)+len(r.root.multi) != 0 {
		t.Error("an empty router has levels")
	}
}

// referenceMatch implements section 4.7 of MQTT 5 in the simplest way.
func referenceMatch(filter, topic string) bool {
	f := strings.Split(filter, "/")
	if f[0] == "$share" && len(f) > 2 {
		f = f[2:]
	}
	tl := strings.Split(topic, "/")
	if topic[0] == '$' && (f[0] == "+" || f[0] == "#") {
		return false
	}
	if f[len(f)-1] == "#" {
		f = f[:len(f)-1]
		if len(tl) < len(f) {
			return false
		}
		tl = tl[:len(f)]
	}
	return slices.EqualFunc(f, tl, func(a, b string) bool { return a == "+" || a == b })
}

// fromLetters returns a string of at most 12 of the letters. Each byte of b selects one.
// A small number of letters makes matches likely.
func fromLetters(b []byte, letters []string) string {
	var s strings.Builder
	for _, c := range b[:min(len(b), 12)] {
		s.WriteString(letters[int(c)%len(letters)])
	}
	return s.String()
}

func FuzzMatch(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3}, []byte{1, 2, 3}, []byte{4, 5})
	f.Add([]byte{5, 0, 3}, []byte{6, 0, 1}, []byte{1})
	f.Fuzz(func(t *testing.T, one, two, name []byte) {
		filters := []string{
			fromLetters(one, []string{"a", "b", "/", "+", "#", "/", "$share/g/", "$"}),
			fromLetters(two, []string{"a", "/", "/+", "/#", "+/", "b", "$SYS"}),
		}
		topic := fromLetters(name, []string{"a", "b", "/", "/", "$", "$SYS"})
		if ValidTopic([]byte(topic)) != nil {
			return
		}
		var r Router
		var want []uint32
		for i, f := range filters {
			if ValidFilter(f) != nil {
				continue
			}
			r.Add(f, uint32(i))
			if got := Match(f, topic); got != referenceMatch(f, topic) {
				t.Errorf("Match(%q, %q) = %v", f, topic, got)
			} else if got {
				want = append(want, uint32(i))
			}
		}
		if got := r.Match(topic, nil); !slices.Equal(got, want) {
			t.Errorf("filters %q, topic %q: %v, want %v", filters, topic, got, want)
		}
	})
}
