package shadow

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"iot.wasm/internal/localiot/jsontext"
)

// bucket is the bucket of the shadows in the store. The keys are those of the function key.
const bucket = "shadows"

// key returns the key of a record. Neither name contains a slash.
func key(thing, name string) string { return thing + "/" + name }

// stored is a record in the store. State and Metadata have the same shape.
type stored struct {
	State    any   `json:"state,omitempty"`
	Metadata any   `json:"metadata,omitempty"`
	Version  int64 `json:"version"`
	Deleted  int64 `json:"deleted,omitempty"` // milliseconds since 1970; 0 unless the record is a tombstone
}

func (r *record) encode() []byte {
	s := stored{Version: r.version}
	if r.isTombstone() {
		s.Deleted = r.deleted.UnixMilli()
	} else {
		s.State, s.Metadata = r.state.state(), r.state.metadata()
	}
	return jsontext.Encode(s)
}

// load loads the records from the DB.
func (s *table) load() error {
	return s.db.Load(bucket, func(key string, value []byte) error {
		thing, name, _ := strings.Cut(key, "/")
		r, err := decodeRecord(value)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		s.set(thing, name, r)
		return nil
	})
}

func decodeRecord(value []byte) (*record, error) {
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber()
	var s stored
	if err := decoder.Decode(&s); err != nil {
		return nil, err
	}
	r := &record{version: s.Version}
	if s.Deleted != 0 {
		r.deleted = time.UnixMilli(s.Deleted)
		return r, nil
	}
	n, err := restore(s.State, s.Metadata)
	if err != nil {
		return nil, err
	}
	if r.state, _ = n.(object); r.state == nil {
		return nil, fmt.Errorf("the state is not an object")
	}
	return r, nil
}

// restore returns the node that has this state and this metadata. It returns an error if they do not
// have the same shape.
func restore(state, metadata any) (node, error) {
	switch state := state.(type) {
	case map[string]any:
		of, _ := metadata.(map[string]any)
		o := make(object, len(state))
		for key, v := range state {
			n, err := restore(v, of[key])
			if err != nil {
				return nil, err
			}
			o[key] = n
		}
		return o, nil
	case []any:
		of, _ := metadata.([]any)
		if len(of) != len(state) {
			return nil, fmt.Errorf("the metadata of an array is missing")
		}
		l := make(list, len(state))
		for i, v := range state {
			n, err := restore(v, of[i])
			if err != nil {
				return nil, err
			}
			l[i] = n
		}
		return l, nil
	}
	of, _ := metadata.(map[string]any)
	number, _ := of["timestamp"].(json.Number)
	seconds, err := number.Int64()
	if err != nil {
		return nil, fmt.Errorf("the timestamp of a value is missing")
	}
	return leaf{state, seconds}, nil
}
