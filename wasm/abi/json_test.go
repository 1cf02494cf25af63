package abi

import (
	"encoding/json"
	"math"
	"testing"
	"unicode/utf8"
)

// TestObject compares the text of an object that has members of all types.
func TestObject(t *testing.T) {
	var empty, o, inner Object
	inner.Flag("flag", true)
	o.Text("text", "quote \" backslash \\ control \x00\x1f\n line separator \u2028 é 🎈")
	o.Number("number", -1.5)
	o.Number("large", math.MaxUint32)
	o.Number("never", math.Inf(1))
	o.Number("nan", math.NaN())
	o.Flag("off", false)
	o.Object("inner", &inner)
	o.Object("empty", &empty)
	o.Pairs("pairs", 2, func(i int) (string, string) { return "name", string(rune('a' + i)) })
	o.Pairs("none", 0, nil)
	const want = `{"text":"quote \" backslash \\ control \u0000\u001f\u000a line separator ` + "\u2028" + ` é 🎈","number":-1.5,"large":4.294967295e+09,"never":null,"nan":null,"off":false,"inner":{"flag":true},"empty":{},"pairs":[["name","a"],["name","b"]],"none":[]}`
	if got := string(o.Bytes()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !json.Valid(o.Bytes()) {
		t.Error("the text is not JSON")
	}
}

// FuzzText checks that encoding/json decodes the text of an Object, and that valid UTF-8
// strings do not change.
func FuzzText(f *testing.F) {
	f.Add("a\x00\"\\\x1f\u2028")
	f.Fuzz(func(t *testing.T, s string) {
		var o Object
		o.Text(s, s)
		var got map[string]string
		if err := json.Unmarshal(o.Bytes(), &got); err != nil {
			t.Fatalf("%q: %v", o.Bytes(), err)
		}
		if utf8.ValidString(s) && got[s] != s {
			t.Fatalf("%q became %q", s, got)
		}
	})
}
