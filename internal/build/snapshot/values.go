package snapshot

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// An Object describes a JavaScript object by its members. Value is nil for a member without
// members.
type Object map[string]*Member

// A Member is a member of an object.
type Member struct {
	Text     string  // an expression that has its value on the page; "": the access to the member
	Function bool    // whether it is a function, for example a class
	Number   float64 // its value if it is a number
	Members  Object  // its members, if the program reads them
	// Other is the value of all members that Members does not contain; nil: undefined
	Other *Member
}

// Kinds of references: how wasm_exec.js marks the type of a value.
const (
	kindObject   = 1
	kindString   = 2
	kindFunction = 4
)

// nan is the high word of the 64-bit number that refers to a JavaScript value.
const nan = 0x7FF80000

// value is an entry in the table of JavaScript values of wasm_exec.js.
type value struct {
	text   string // an expression that identifies this value
	page   string // an expression that has this value, or replaces it, on the page
	kind   uint32
	member *Member // describes the value if it is an object
	count  int     // the number of references in Go
}

// values is the table of JavaScript values. The first seven entries are always the same.
type values struct {
	list []value
	ids  map[string]uint32 // by the texts of the values
}

const firstID = 7

func newValues(global Object) *values {
	v := &values{ids: map[string]uint32{}}
	for _, text := range []string{"NaN", "0", "null", "true", "false"} {
		v.list = append(v.list, value{text: text, page: text})
	}
	v.list = append(v.list,
		value{text: "globalThis", page: "globalThis", kind: kindObject, member: &Member{Members: global}},
		value{text: "this", page: "this", kind: kindObject, member: &Member{}}) // the Go object of wasm_exec.js
	return v
}

// reference adds a reference to a value, and returns its representation in Go.
func (v *values) reference(text string, kind uint32, member *Member) uint64 {
	id, ok := v.ids[text]
	if !ok {
		id = uint32(len(v.list))
		v.ids[text] = id
		page := text
		if member != nil && member.Text != "" {
			page = member.Text
		}
		v.list = append(v.list, value{text: text, page: page, kind: kind, member: member})
	}
	v.list[id].count++
	return uint64(nan|v.list[id].kind)<<32 | uint64(id)
}

// get returns a member of a value.
func (v *values) get(id uint32, name string) (uint64, error) {
	if int(id) >= len(v.list) || v.list[id].member == nil {
		return 0, fmt.Errorf("reads the member %s of a value without members", name)
	}
	of := v.list[id]
	m := of.member.Members[name]
	if m == nil {
		m = of.member.Other
	}
	switch {
	case m == nil:
		return 0, nil // undefined
	case m.Number != 0:
		return math.Float64bits(m.Number), nil
	case m.Function:
		return v.reference(of.text+"."+name, kindFunction, m), nil
	}
	return v.reference(of.text+"."+name, kindObject, m), nil
}

// text returns a JavaScript expression for a value in Go.
func (v *values) text(ref uint64) (string, error) {
	if ref>>32&nan != nan {
		return strconv.FormatFloat(math.Float64frombits(ref), 'g', -1, 64), nil
	}
	id := uint32(ref)
	if int(id) >= len(v.list) {
		return "", fmt.Errorf("uses the unknown JavaScript value %d", id)
	}
	return v.list[id].text, nil
}

// script returns statements that make the tables of wasm_exec.js.
func (v *values) script() string {
	var texts, counts []string
	for i, entry := range v.list {
		texts = append(texts, entry.page)
		if i < firstID {
			counts = append(counts, "Infinity") // Go never releases these values
		} else {
			counts = append(counts, strconv.Itoa(entry.count))
		}
	}
	return fmt.Sprintf(`this._values = [%s];
this._goRefCounts = [%s];
this._ids = new Map(this._values.map((v, i) => [v, i]));
this._idPool = [];
`, strings.Join(texts, ", "), strings.Join(counts, ", "))
}
