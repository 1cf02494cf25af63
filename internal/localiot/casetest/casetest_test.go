package casetest

import "testing"

func TestCheck(t *testing.T) {
	v, err := Decode([]byte(`{"accepted":{"list":[{"a":1.0}],"null":null}}`))
	if err != nil {
		t.Fatal(err)
	}
	documents := v.(map[string]any)
	for _, test := range []struct {
		path, argument string
		equal          bool
	}{
		{"accepted.list.0.a", "1.0", true},
		{"accepted.list.0.a", "1", false},
		{"accepted.list.0", `{"a":1.0}`, true},
		{"accepted.list.1", "absent", false},
		{"accepted.list.-1", "present", false},
		{"accepted.list.0.a.b", "absent", true},
		{"accepted.null", "null", true},
		{"accepted.null", "absent", false},
		{"accepted.null", "present", true},
		{"rejected", "absent", true},
		{"rejected", "present", false},
		{"rejected", "{}", false},
		{"accepted", "{", false},
	} {
		if err := Check(documents, test.path, test.argument); (err == nil) != test.equal {
			t.Errorf("%s %s: %v", test.path, test.argument, err)
		}
	}
}

func TestExpand(t *testing.T) {
	if got := Expand(`a{{xy 3}}b\xff`); got != "axyxyxyb\xff" {
		t.Errorf("got %q", got)
	}
}
