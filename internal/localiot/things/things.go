// Package things implements the registry of things of AWS IoT Core without a protocol.
//
// The rules come from the AWS IoT API Reference. Comments name its pages by their file names, for example
// API_CreateThing.html for https://docs.aws.amazon.com/iot/latest/apireference/API_CreateThing.html.
// Where the documentation leaves a case open, a comment states the choice of this package.
package things

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sync"

	"iot.wasm/internal/localiot/store"
	"iot.wasm/internal/localiot/uuid"
)

const (
	// bucket is the bucket of the things in the store. The keys are the names of the things.
	bucket = "things"

	defaultPageSize = 25
	maxPageSize     = 250

	// maxAttributes is how many attributes a thing without a thing type may have (thing-types.html in the
	// AWS IoT Core Developer Guide).
	maxAttributes     = 3
	maxName           = 128 // bytes
	maxAttributeName  = 128 // bytes
	maxAttributeValue = 800 // bytes
)

// NamePattern is the pattern of the name of a thing, which has at most 128 characters
// (API_CreateThing.html).
const NamePattern = `[a-zA-Z0-9:_-]+`

// Patterns of API_AttributePayload.html.
const (
	attributeNamePattern  = `[a-zA-Z0-9_.,@/:#=\[\]-]+`
	attributeValuePattern = `[a-zA-Z0-9_.,@/:#=\[\]-]*`
)

var (
	validName           = regexp.MustCompile(`^` + NamePattern + `$`)
	validAttributeName  = regexp.MustCompile(`^` + attributeNamePattern + `$`)
	validAttributeValue = regexp.MustCompile(`^` + attributeValuePattern + `$`)
)

// Codes of an Error: the names of AWS's exceptions without the suffix Exception.
const (
	InvalidRequest  = "InvalidRequest"
	NotFound        = "ResourceNotFound"
	AlreadyExists   = "ResourceAlreadyExists"
	VersionConflict = "VersionConflict"
	LimitExceeded   = "LimitExceeded"
	InternalFailure = "InternalFailure"
)

// An Error reports a rejected request.
type Error struct{ Code, Message string }

// Error implements error.
func (e *Error) Error() string { return "things: " + e.Code + ": " + e.Message }

func reject(code, format string, a ...any) error { return &Error{code, fmt.Sprintf(format, a...)} }

// Options configure a Service.
type Options struct {
	// Region and Account are the parts of ARNs.
	Region, Account string

	// Store keeps the things. It may be nil.
	Store *store.DB

	// MaxThings is how many things the Service holds at most; 10,000 when zero. AWS IoT has no such limit.
	// At this limit, Create fails with LimitExceeded.
	MaxThings int
}

// A Thing is an entry of the registry.
type Thing struct {
	Name string `json:"-"`

	// ID is unique, also among deleted things with the same name.
	ID string `json:"id"`

	// Attributes must not be changed.
	Attributes map[string]string `json:"attributes,omitempty"`

	// Version counts the changes of a thing from 1 (API_DescribeThing.html).
	Version int64 `json:"version"`
}

// Service holds the things. It is safe for concurrent use. The errors of all methods are of the type
// *Error.
type Service struct {
	options Options

	mu     sync.Mutex
	things map[string]Thing
}

// New returns a Service with the things in Options.Store.
func New(o Options) (*Service, error) {
	o.MaxThings = cmp.Or(o.MaxThings, 10_000)
	s := &Service{options: o, things: make(map[string]Thing)}
	err := o.Store.Load(bucket, func(name string, value []byte) error {
		t := Thing{Name: name}
		if err := json.Unmarshal(value, &t); err != nil {
			return fmt.Errorf("things: %s: %w", name, err)
		}
		s.things[name] = t
		return nil
	})
	return s, err
}

// ARN returns the Amazon Resource Name of a thing. The thing need not exist.
func (s *Service) ARN(name string) string {
	return fmt.Sprintf("arn:aws:iot:%s:%s:thing/%s", s.options.Region, s.options.Account, name)
}

// Create adds a thing. If a thing with this name and these attributes exists, Create returns it. If a
// thing with other attributes exists, Create fails with AlreadyExists (API_CreateThing.html).
func (s *Service) Create(name string, attributes map[string]string) (Thing, error) {
	if err := checkName(name); err != nil {
		return Thing{}, err
	}
	if err := checkAttributes(attributes); err != nil {
		return Thing{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.things[name]; ok {
		if !maps.Equal(t.Attributes, attributes) {
			return Thing{}, reject(AlreadyExists, "Thing %s already exists in account with different attributes", name)
		}
		return t, nil
	}
	if len(s.things) >= s.options.MaxThings {
		return Thing{}, reject(LimitExceeded, "The registry has no room for another thing")
	}
	t := Thing{Name: name, ID: uuid.New(), Attributes: maps.Clone(attributes), Version: 1}
	value, err := json.Marshal(t)
	if err == nil {
		err = s.options.Store.Apply(store.Change{Bucket: bucket, Key: name, Value: value})
	}
	if err != nil {
		return Thing{}, reject(InternalFailure, "An unexpected error has occurred.")
	}
	s.things[name] = t
	return t, nil
}

// Describe returns a thing. It fails with NotFound if the thing does not exist.
func (s *Service) Describe(name string) (Thing, error) {
	if err := checkName(name); err != nil {
		return Thing{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.things[name]
	if !ok {
		return Thing{}, reject(NotFound, "Thing %s cannot be found.", name)
	}
	return t, nil
}

// Exists reports whether a thing exists.
func (s *Service) Exists(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.things[name]
	return ok
}

// ListOptions choose the things that List returns.
type ListOptions struct {
	// MaxResults is the largest number of things in a page, 1 to 250. Zero means the default, 25.
	MaxResults int

	// NextToken is "" for the first page, and then that of the previous page.
	NextToken string

	// AttributeName, if not empty, chooses the things that have this attribute with the value
	// AttributeValue.
	AttributeName, AttributeValue string
}

// List returns things, sorted by name, and the NextToken of the next page, or "" if there is none
// (API_ListThings.html). The documentation does not state the order.
func (s *Service) List(o ListOptions) (page []Thing, nextToken string, err error) {
	o.MaxResults = cmp.Or(o.MaxResults, defaultPageSize)
	if o.MaxResults < 1 || o.MaxResults > maxPageSize {
		return nil, "", reject(InvalidRequest, "1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: "+
			"Member must have value between 1 and %d", o.MaxResults, maxPageSize)
	}
	last, err := base64.RawURLEncoding.DecodeString(o.NextToken)
	if err != nil {
		return nil, "", reject(InvalidRequest, "Invalid next token")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	page = []Thing{}
	for _, name := range slices.Sorted(maps.Keys(s.things)) {
		t := s.things[name]
		if value, ok := t.Attributes[o.AttributeName]; o.AttributeName != "" && (!ok || value != o.AttributeValue) {
			continue
		}
		if o.NextToken != "" && name <= string(last) {
			continue
		}
		if len(page) == o.MaxResults {
			return page, base64.RawURLEncoding.EncodeToString([]byte(page[len(page)-1].Name)), nil
		}
		page = append(page, t)
	}
	return page, "", nil
}

// Delete removes a thing. It succeeds if the thing does not exist (API_DeleteThing.html). If
// expectedVersion is not nil, and is not the version of the thing, Delete fails with VersionConflict.
func (s *Service) Delete(name string, expectedVersion *int64) error {
	if err := checkName(name); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.things[name]
	if !ok {
		return nil
	}
	if expectedVersion != nil && *expectedVersion != t.Version {
		return reject(VersionConflict, "The version for thing %s does not match the expected version.", name)
	}
	if err := s.options.Store.Apply(store.Change{Bucket: bucket, Key: name}); err != nil {
		return reject(InternalFailure, "An unexpected error has occurred.")
	}
	delete(s.things, name)
	return nil
}

// ValidName reports whether a thing can have this name.
func ValidName(name string) bool { return len(name) <= maxName && validName.MatchString(name) }

func checkName(name string) error {
	if !ValidName(name) {
		return reject(InvalidRequest, "1 validation error detected: Value '%.200s' at 'thingName' failed to satisfy constraint: "+
			"Member must have length between 1 and 128 and must satisfy regular expression pattern: %s", name, NamePattern)
	}
	return nil
}

func checkAttributes(attributes map[string]string) error {
	if len(attributes) > maxAttributes {
		return reject(InvalidRequest, "A thing without a thing type can have at most %d attributes", maxAttributes)
	}
	for name, value := range attributes {
		switch {
		case len(name) > maxAttributeName || !validAttributeName.MatchString(name):
			return reject(InvalidRequest, "Attribute names must have 1 to %d characters and satisfy regular expression pattern: %s",
				maxAttributeName, attributeNamePattern)
		case len(value) > maxAttributeValue || !validAttributeValue.MatchString(value):
			return reject(InvalidRequest, "Attribute values must have at most %d characters and satisfy regular expression pattern: %s",
				maxAttributeValue, attributeValuePattern)
		}
	}
	return nil
}
