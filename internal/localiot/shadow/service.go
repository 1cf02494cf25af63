// Package shadow implements the device shadows of AWS IoT Core without a protocol: requests and answers
// are the JSON documents that AWS IoT exchanges by MQTT and by HTTP.
//
// The rules come from the AWS IoT Core Developer Guide. Comments name its pages by their file names, for
// example device-shadow-document.html for
// https://docs.aws.amazon.com/iot/latest/developerguide/device-shadow-document.html. Where the
// documentation leaves a case open, a comment states the choice of this package.
package shadow

import (
	"encoding/base64"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sync"
	"time"

	"iot.wasm/internal/localiot/jsontext"
	"iot.wasm/internal/localiot/store"
	"iot.wasm/internal/localiot/things"
)

const (
	// maxState is the largest size of the sections desired and reported together, in bytes. Metadata
	// does not count (diagnosing-shadows.html). The documentation does not state how the size is
	// measured. Here it is the size of the stored sections as JSON without white space.
	maxState = 8 << 10

	// The documentation of ListNamedShadowsForThing allows 1 to 100 names in a page. It does not state
	// the default.
	defaultPageSize = 25
	maxPageSize     = 100
)

// shadowName matches the names that the API reference of UpdateThingShadow allows.
var shadowName = regexp.MustCompile(`^[$a-zA-Z0-9:_-]{1,64}$`)

// Options configure a Service. All members are optional.
type Options struct {
	// Now is the clock; time.Now when nil.
	Now func() time.Time

	// Store keeps the shadows.
	Store *store.DB

	// MaxThings is how many things may have shadows; 10,000 when zero.
	MaxThings int

	// MaxBytes bounds the memory of all shadows, in bytes; 64 MiB when zero. The Service estimates the
	// memory. A shadow with many short values takes more than its JSON text.
	MaxBytes int
}

// Service holds the shadows of all things. It is safe for concurrent use.
//
// A shadow is named by its thing and its name. The name of a classic shadow is "". A thing needs no
// registration, because AWS IoT keeps the shadows of a thing without it
// (device-shadow-data-flow.html#deleting-device-shadow, Note). AWS IoT has no limit of the number of
// shadows. At the bounds in Options, an update fails with the code 500.
//
// Each change is stored in Options.Store before its method returns.
//
// The errors of all methods are of the type *Error.
type Service struct {
	now func() time.Time

	mu    sync.Mutex
	table table
}

// New returns a Service with the shadows in Options.Store.
func New(o Options) (*Service, error) {
	s := &Service{
		now: o.Now,
		table: table{
			maxThings: o.MaxThings,
			maxBytes:  o.MaxBytes,
			db:        o.Store,
			things:    make(map[string]map[string]*record),
		},
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.table.maxThings == 0 {
		s.table.maxThings = 10_000
	}
	if s.table.maxBytes == 0 {
		s.table.maxBytes = 64 << 20
	}
	if err := s.table.load(); err != nil {
		return nil, fmt.Errorf("shadow: %w", err)
	}
	return s, nil
}

// Updated are the documents that AWS IoT publishes after an update that it has accepted.
type Updated struct {
	Accepted  []byte // for update/accepted; also the answer by HTTP
	Delta     []byte // for update/delta; nil if desired and reported do not differ
	Documents []byte // for update/documents
}

// Update merges a request state document into a shadow, which it creates if necessary
// (device-shadow-data-flow.html#update-device-shadow).
//
// The document for update/delta contains all differences, also those that existed before
// (device-shadow-mqtt.html#update-delta-pub-sub-topic). The documentation does not state whether an
// update that leaves the state as it was publishes a delta. Here it does.
func (s *Service) Update(thing, name string, body []byte) (*Updated, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	seconds := now.Unix()
	r, problem := parseUpdate(body, seconds)
	if p := checkNames(thing, name); p != nil {
		problem = p
	}
	if problem != nil {
		return nil, reject(*problem, r.clientToken, seconds)
	}

	old := s.table.find(thing, name, now)
	exists := old != nil && !old.isTombstone()
	if old == nil {
		old = new(record)
	}
	// The documentation does not state what the current version of a missing shadow is. Here it is that
	// of the deleted shadow, or else 0.
	if r.version != nil && *r.version != old.version {
		return nil, reject(versionConflict, r.clientToken, seconds)
	}
	current := &record{state: update(old.state, r.state), version: old.version + 1}
	desired, reported := current.section("desired"), current.section("reported")
	if size(desired)+size(reported) > maxState {
		return nil, reject(tooLarge, r.clientToken, seconds)
	}
	if !s.table.put(thing, name, current) {
		return nil, reject(internalFailure, r.clientToken, seconds)
	}

	all := documents{
		Current:     newDocument(current.state, current.version),
		Timestamp:   seconds,
		ClientToken: r.clientToken,
	}
	// The documentation does not show the document of the first update. The AWS IoT Device SDK v2 shows
	// one without previous.
	if exists {
		previous := newDocument(old.state, old.version)
		all.Previous = &previous
	}
	updated := &Updated{
		Accepted:  jsontext.Encode(response{newDocument(r.state, current.version), seconds, r.clientToken}),
		Documents: jsontext.Encode(all),
	}
	if delta := difference(desired, reported); len(delta) > 0 {
		updated.Delta = jsontext.Encode(response{newDocument(delta, current.version), seconds, r.clientToken})
	}
	return updated, nil
}

// update returns the state of a shadow after an update with the state of a request.
func update(old object, state node) object {
	patch, ok := state.(object)
	if !ok { // null
		return object{}
	}
	updated := merge(old, patch)
	for _, name := range []string{"desired", "reported"} {
		// A section that becomes empty is removed (device-shadow-document.html#device-shadow-empty-fields).
		if section, ok := updated[name].(object); ok && len(section) == 0 {
			delete(updated, name)
		}
	}
	return updated
}

// Get returns the whole shadow, with its delta, for get/accepted
// (device-shadow-data-flow.html#retrieving-device-shadow). body may be empty, or contain a clientToken.
//
// The metadata contains that of the delta, as in device-shadow-document.html#delta-state.
func (s *Service) Get(thing, name string, body []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, token, err := s.existing(thing, name, body)
	if err != nil {
		return nil, err
	}
	whole := maps.Clone(r.state)
	if delta := difference(r.section("desired"), r.section("reported")); len(delta) > 0 {
		whole["delta"] = delta
	}
	return jsontext.Encode(response{newDocument(whole, r.version), s.now().Unix(), token}), nil
}

// Delete deletes a shadow, and returns the document for delete/accepted
// (device-shadow-data-flow.html#deleting-device-shadow). body may be empty, or contain a clientToken.
//
// The version in the document is that of the deleted shadow. A shadow that is created again within 48
// hours continues with the next version. The documentation states that the version of a later one is 0.
// Here the first update creates version 1, as for a shadow that never existed.
func (s *Service) Delete(thing, name string, body []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, token, err := s.existing(thing, name, body)
	if err != nil {
		return nil, err
	}
	now := s.now()
	// A tombstone is never larger than the shadow.
	if !s.table.put(thing, name, &record{version: r.version, deleted: now}) {
		return nil, reject(internalFailure, token, now.Unix())
	}
	return jsontext.Encode(deletion{r.version, now.Unix(), token}), nil
}

// existing returns a shadow that exists, and the clientToken in the body of a request. The caller holds
// s.mu.
func (s *Service) existing(thing, name string, body []byte) (*record, *string, error) {
	now := s.now()
	token, problem := parseToken(body)
	if p := checkNames(thing, name); p != nil {
		problem = p
	}
	if problem != nil {
		return nil, nil, reject(*problem, token, now.Unix())
	}
	r := s.table.find(thing, name, now)
	if r == nil || r.isTombstone() {
		return nil, nil, reject(shadowNotFound(thing, name), token, now.Unix())
	}
	return r, token, nil
}

// ListNamed returns a shadow name list document with the names of the named shadows of a thing, sorted
// (device-shadow-rest-api.html#API_ListNamedShadowsForThing). The list is empty if the thing has none.
//
// pageSize is 1 to 100, or 0 for the default, 25. nextToken is "" for the first page, and then that of
// the previous document.
func (s *Service) ListNamed(thing string, pageSize int, nextToken string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seconds := s.now().Unix()
	if pageSize == 0 {
		pageSize = defaultPageSize
	}
	last, err := base64.RawURLEncoding.DecodeString(nextToken)
	switch {
	case !things.ValidName(thing):
		return nil, reject(invalidThingName, nil, seconds)
	case pageSize < 1 || pageSize > maxPageSize:
		return nil, reject(invalidPageSize, nil, seconds)
	case err != nil:
		return nil, reject(invalidNextToken, nil, seconds)
	}
	names := s.table.names(thing)
	first, found := slices.BinarySearch(names, string(last))
	if found {
		first++
	}
	page := nameList{Results: names[first:], Timestamp: seconds}
	if len(page.Results) > pageSize {
		page.Results = page.Results[:pageSize]
		page.NextToken = base64.RawURLEncoding.EncodeToString([]byte(page.Results[pageSize-1]))
	}
	return jsontext.Encode(page), nil
}

// checkNames checks the names of a thing and a shadow.
func checkNames(thing, name string) *problem {
	switch {
	case !things.ValidName(thing):
		return &invalidThingName
	case name != "" && !shadowName.MatchString(name):
		return &invalidShadowName
	}
	return nil
}
