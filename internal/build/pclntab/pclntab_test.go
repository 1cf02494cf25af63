package pclntab

import (
	"bytes"
	"encoding/binary"
	"testing"

	"iot.wasm/internal/build/wasmfile"
	"iot.wasm/internal/wasmtest"
)

// memory returns the initial memory of a program for a browser.
func memory(t *testing.T) []byte {
	t.Helper()
	m, err := wasmfile.Parse(wasmtest.Compile(t, "../snapshot/testdata/start"))
	if err != nil {
		t.Fatal(err)
	}
	content, err := m.MemoryContent()
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// tables returns the bytes of the tables of values of each function, by their position in the description of the function.
func tables(t *testing.T, content []byte) (list []map[int]string) {
	t.Helper()
	tab, err := find(content)
	if err != nil {
		t.Fatal(err)
	}
	values := content[tab.base+tab.word(headerValues) : tab.base+tab.word(headerFunctab)]
	functab := content[tab.base+tab.word(headerFunctab):]
	for i := range tab.count {
		f := functab[binary.LittleEndian.Uint32(functab[i*functabEntry+4:]):]
		of := map[int]string{}
		for j := funcValues; j < funcSize+4*int(f[funcNumbers]); j += 4 {
			if j >= funcValues+12 && j < funcSize {
				continue
			}
			if at := binary.LittleEndian.Uint32(f[j:]); at != 0 {
				used := make([]bool, len(values))
				if !mark(used, values, at) {
					t.Fatalf("table %d of function %d is not valid", j, i)
				}
				end := at
				for int(end) < len(used) && used[end] {
					end++
				}
				of[j] = string(values[at:end])
			}
		}
		list = append(list, of)
	}
	return list
}

// TestStrip checks that the memory loses the names and the files, and keeps the tables of values that the runtime needs.
func TestStrip(t *testing.T) {
	content := memory(t)
	before := tables(t, content)
	for _, text := range []string{"main.next", "start/main.go"} {
		if !bytes.Contains(content, []byte(text)) {
			t.Fatalf("the program has no text %s", text)
		}
	}
	if err := Strip(content); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"main.next", "start/main.go"} {
		if bytes.Contains(content, []byte(text)) {
			t.Errorf("the stripped program contains the text %s", text)
		}
	}
	kept, removed := 0, 0
	after := tables(t, content)
	for i := range before {
		for at, want := range before[i] {
			switch got := after[i][at]; at {
			case funcValues + 4, funcValues + 8, funcSize + 4*unsafePoint, funcSize + 4*argLive:
				removed++
				if got != "" {
					t.Fatalf("function %d has the table %d", i, at)
				}
			default:
				kept++
				if got != want {
					t.Fatalf("table %d of function %d has changed from % x to % x", at, i, want, got)
				}
			}
		}
	}
	if kept < 1000 || removed < 1000 {
		t.Errorf("%d tables are kept, %d removed", kept, removed)
	}
}

// TestUnknownForm checks that Strip refuses a table of another form.
func TestUnknownForm(t *testing.T) {
	content := memory(t)
	tab, err := find(content)
	if err != nil {
		t.Fatal(err)
	}
	first := int(binary.LittleEndian.Uint32(content[tab.base+tab.word(headerFunctab)+4:])) + tab.base + tab.word(headerFunctab)
	buckets := bytes.Index(content, tab.buckets)
	for name, change := range map[string]func(b []byte) []byte{
		"empty":              func([]byte) []byte { return nil },
		"another version":    func(b []byte) []byte { b[tab.base]--; return b },
		"too short":          func(b []byte) []byte { return b[:tab.base+headerSize-1] },
		"parts in disorder":  func(b []byte) []byte { b[tab.base+headerValues+3]++; return b },
		"too many functions": func(b []byte) []byte { b[tab.base+headerFunctions+3]++; return b },
		"too many tables":    func(b []byte) []byte { b[first+funcNumbers+1]++; return b },
		"a table without an end": func(b []byte) []byte {
			binary.LittleEndian.PutUint32(b[first+funcValues:], uint32(tab.word(headerFunctab)-tab.word(headerValues)-1))
			b[tab.base+tab.word(headerFunctab)-1] = 0x80
			return b
		},
		"another bucket": func(b []byte) []byte { b[buckets+4]++; return b },
	} {
		if err := Strip(change(bytes.Clone(content))); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
