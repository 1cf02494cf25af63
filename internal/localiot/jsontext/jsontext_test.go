package jsontext

import "testing"

func TestEncode(t *testing.T) {
	if got := string(Encode(map[string]any{"a": "<&>\u2028"})); got != `{"a":"<&>\u2028"}` {
		t.Errorf("got %s", got)
	}
}

func TestNesting(t *testing.T) {
	for text, want := range map[string]int{
		``:                     0,
		`5`:                    0,
		`{}`:                   1,
		`[{"a":[]},[]]`:        3,
		`["[[", "\"[[", "\\"]`: 1,
		`["\\", [[`:            3,
		`]]][`:                 0,
		`"\`:                   0,
	} {
		if got := Nesting([]byte(text)); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}
