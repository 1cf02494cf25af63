package shadow

import "iot.wasm/internal/localiot/jsontext"

// The types in this file are the response state documents of AWS IoT
// (device-shadow-document.html#device-shadow-example-response-json).

// document is the state of a shadow at one version.
type document struct {
	State    any   `json:"state"`
	Metadata any   `json:"metadata"`
	Version  int64 `json:"version"`
}

// response is the answer to an update or a get, and the message to update/delta.
type response struct {
	document
	Timestamp   int64   `json:"timestamp"`
	ClientToken *string `json:"clientToken,omitempty"`
}

// documents is the message to update/documents.
type documents struct {
	Previous    *document `json:"previous,omitempty"`
	Current     document  `json:"current"`
	Timestamp   int64     `json:"timestamp"`
	ClientToken *string   `json:"clientToken,omitempty"`
}

// deletion is the answer to a delete (device-shadow-data-flow.html#deleting-device-shadow).
type deletion struct {
	Version     int64   `json:"version"`
	Timestamp   int64   `json:"timestamp"`
	ClientToken *string `json:"clientToken,omitempty"`
}

// nameList is the answer to ListNamed (device-shadow-document.html#device-shadow-list-json).
type nameList struct {
	Results   []string `json:"results"`
	NextToken string   `json:"nextToken,omitempty"`
	Timestamp int64    `json:"timestamp"`
}

// newDocument returns a document of a node.
func newDocument(n node, version int64) document {
	return document{State: n.state(), Metadata: n.metadata(), Version: version}
}

// size returns the size of a section of a shadow in bytes: that of its JSON without white space. It is 0
// if the section does not exist.
func size(section object) int {
	if section == nil {
		return 0
	}
	return len(jsontext.Encode(section.state()))
}
