package shadow

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
	"unicode/utf8"

	"iot.wasm/internal/localiot/jsontext"
)

const (
	// maxBody is the largest body of a request, in bytes: the largest payload of a PUBLISH to AWS IoT.
	maxBody = 128 << 10

	// maxClientToken is the largest clientToken, in bytes of UTF-8
	// (device-shadow-document.html#client-token).
	maxClientToken = 64

	// maxLevels is how many levels of members the sections desired and reported may have. It is the
	// number in AWS's error message (device-shadow-error-messages.html). The page of the quotas has had
	// other numbers, from 5 to 8. The documentation does not state that an array is a level. Here a
	// non-empty array is one.
	maxLevels = 6

	// maxNesting bounds the recursion for members that the Service ignores.
	maxNesting = 100
)

// A request is a decoded request state document
// (device-shadow-document.html#device-shadow-example-request-json). Members that are not listed are
// ignored (diagnosing-shadows.html).
type request struct {
	// state is an object with the members desired and reported, each an object or null, or null, which
	// removes both sections (device-shadow-data-flow.html#deleting-device-shadow, Note).
	state node

	version     *int64
	clientToken *string
}

// parseUpdate decodes the body of an update. The leaves of the state get the given time. If the request
// is invalid, its clientToken is still valid or nil. The documentation does not state which of several
// problems is reported; here it is the first one in the order of this function.
func parseUpdate(body []byte, seconds int64) (request, *problem) {
	members, problem := decode(body)
	if problem != nil {
		return request{}, problem
	}
	var r request
	if r.clientToken, problem = clientToken(members); problem != nil {
		return r, problem
	}
	if version, ok := members["version"]; ok {
		number, _ := version.(json.Number)
		v, err := strconv.ParseInt(string(number), 10, 64)
		if err != nil || v < 0 {
			return r, &invalidVersion
		}
		r.version = &v
	}
	state, ok := members["state"]
	if !ok {
		return r, &missingState
	}
	if problem := checkState(state); problem != nil {
		return r, problem
	}
	r.state = stamp(state, seconds)
	return r, nil
}

// parseToken returns the clientToken in the body of a get or a delete. The documentation demands an empty
// body, and states that the body of a delete is ignored. The AWS IoT Device SDK v2 sends a clientToken in
// both, and receives it with the answer. Everything else in the body is ignored.
func parseToken(body []byte) (*string, *problem) {
	members, problem := decode(body)
	if problem != nil {
		return nil, nil
	}
	return clientToken(members)
}

// decode decodes a JSON object. Of members with the same name, the last one counts.
func decode(body []byte) (map[string]any, *problem) {
	if len(body) > maxBody {
		return nil, &tooLarge
	}
	if !utf8.Valid(body) {
		return nil, &invalidEncoding
	}
	if jsontext.Nesting(body) > maxNesting {
		return nil, &tooDeep
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, &invalidJSON
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, &invalidJSON
	}
	members, ok := value.(map[string]any)
	if !ok {
		return nil, &invalidJSON
	}
	return members, nil
}

// clientToken returns the clientToken of a request, or nil if it has none. The documentation does not
// state what happens to a clientToken that is not a string. Here it is invalid, and so is null.
func clientToken(members map[string]any) (*string, *problem) {
	value, ok := members["clientToken"]
	if !ok {
		return nil, nil
	}
	token, ok := value.(string)
	if !ok || len(token) > maxClientToken {
		return nil, &invalidToken
	}
	return &token, nil
}

// checkState checks the member state of a request.
func checkState(state any) *problem {
	if state == nil {
		return nil
	}
	sections, ok := state.(map[string]any)
	if !ok {
		return &invalidState
	}
	for name := range sections {
		if name != "desired" && name != "reported" {
			return &invalidNode
		}
	}
	for _, section := range []struct {
		name    string
		problem *problem
	}{{"desired", &invalidDesired}, {"reported", &invalidReported}} {
		value := sections[section.name]
		if value == nil {
			continue // absent, or null
		}
		if _, ok := value.(map[string]any); !ok {
			return section.problem
		}
		if levels(value) > maxLevels {
			return &tooDeep
		}
		if hasNullInArray(value, false) {
			return &invalidNode
		}
	}
	return nil
}

// hasNullInArray reports whether a value contains an array that contains null at any depth. inArray states
// that the value itself is part of an array.
//
// AWS IoT rejects null as an element (device-shadow-document.html#device-shadow-arrays). The
// documentation states neither the message, nor whether an object in an array may have a member that is
// null. Here such a request is rejected too: an array is replaced as a whole, so null has no member to
// remove.
func hasNullInArray(value any, inArray bool) bool {
	switch value := value.(type) {
	case nil:
		return inArray
	case map[string]any:
		for _, v := range value {
			if hasNullInArray(v, inArray) {
				return true
			}
		}
	case []any:
		for _, v := range value {
			if hasNullInArray(v, true) {
				return true
			}
		}
	}
	return false
}
