package things

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"

	"iot.wasm/internal/localiot/store/storetest"
)

func newService(t *testing.T, o Options) *Service {
	t.Helper()
	o.Region, o.Account = "eu-west-1", "123456789012"
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustCreate(t *testing.T, s *Service, name string, attributes map[string]string) Thing {
	t.Helper()
	thing, err := s.Create(name, attributes)
	if err != nil {
		t.Fatal(err)
	}
	return thing
}

// wantCode checks the code of an error.
func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Code != code || e.Message == "" {
		t.Errorf("error %v, want %s", err, code)
	}
}

func TestRegistry(t *testing.T) {
	s := newService(t, Options{})
	attributes := map[string]string{"room": "kitchen"}
	lamp := mustCreate(t, s, "lamp", attributes)
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(lamp.ID) {
		t.Errorf("the id %q is not a UUID", lamp.ID)
	}
	attributes["room"] = "changed by the caller"
	got, err := s.Describe("lamp")
	if err != nil || got.Name != "lamp" || got.ID != lamp.ID || got.Version != 1 || got.Attributes["room"] != "kitchen" {
		t.Errorf("described %v, %v", got, err)
	}
	if arn := s.ARN("lamp"); arn != "arn:aws:iot:eu-west-1:123456789012:thing/lamp" {
		t.Error(arn)
	}

	// A second creation succeeds if it changes nothing.
	if again := mustCreate(t, s, "lamp", map[string]string{"room": "kitchen"}); again.ID != lamp.ID {
		t.Errorf("a second creation returned another thing: %v", again)
	}
	_, err = s.Create("lamp", nil)
	wantCode(t, err, AlreadyExists)

	version := int64(2)
	wantCode(t, s.Delete("lamp", &version), VersionConflict)
	if !s.Exists("lamp") {
		t.Error("the thing was deleted")
	}
	version = 1
	for range 2 {
		if err := s.Delete("lamp", &version); err != nil {
			t.Error(err)
		}
	}
	if s.Exists("lamp") {
		t.Error("the thing was not deleted")
	}
	_, err = s.Describe("lamp")
	wantCode(t, err, NotFound)
}

func TestInvalidNames(t *testing.T) {
	s := newService(t, Options{})
	for _, name := range []string{"", "a b", "a/b", "../a", "ä", "$next", "a\n", strings.Repeat("x", 129)} {
		_, err := s.Create(name, nil)
		wantCode(t, err, InvalidRequest)
		_, err = s.Describe(name)
		wantCode(t, err, InvalidRequest)
		wantCode(t, s.Delete(name, nil), InvalidRequest)
	}
	for _, attributes := range []map[string]string{
		{"": "x"}, {"a b": "x"}, {"a": "x y"}, {"a": "ä"}, {"a": strings.Repeat("x", 801)}, {strings.Repeat("x", 129): "x"},
		{"a": "1", "b": "2", "c": "3", "d": "4"},
	} {
		_, err := s.Create("a", attributes)
		wantCode(t, err, InvalidRequest)
	}
	mustCreate(t, s, strings.Repeat("x", 128), map[string]string{"a,@/:#=[]-": "", "b": strings.Repeat("x", 800), "c.": "_"})
}

func TestList(t *testing.T) {
	s := newService(t, Options{})
	for i := range 60 {
		mustCreate(t, s, fmt.Sprintf("thing%02d", i), map[string]string{"odd": fmt.Sprint(i%2 == 1)})
	}
	for _, test := range []struct {
		o     ListOptions
		pages string // the sizes of the pages
	}{
		{ListOptions{}, "25 25 10 "},
		{ListOptions{MaxResults: 60}, "60 "},
		{ListOptions{MaxResults: 250}, "60 "},
		{ListOptions{MaxResults: 20, AttributeName: "odd", AttributeValue: "true"}, "20 10 "},
		{ListOptions{AttributeName: "odd", AttributeValue: "x"}, "0 "},
		{ListOptions{AttributeName: "even"}, "0 "},
	} {
		var pages strings.Builder
		names := make(map[string]bool)
		total := 0
		for o := test.o; ; {
			page, next, err := s.List(o)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(&pages, len(page), " ")
			for _, thing := range page {
				names[thing.Name] = true
				total++
			}
			if o.NextToken = next; next == "" {
				break
			}
		}
		if pages.String() != test.pages || len(names) != total {
			t.Errorf("%+v: pages %s, want %s", test.o, pages.String(), test.pages)
		}
	}
	for _, o := range []ListOptions{{MaxResults: -1}, {MaxResults: 251}, {NextToken: "%"}} {
		_, _, err := s.List(o)
		wantCode(t, err, InvalidRequest)
	}
}

func TestMaxThings(t *testing.T) {
	s := newService(t, Options{MaxThings: 2})
	mustCreate(t, s, "a", nil)
	mustCreate(t, s, "b", nil)
	_, err := s.Create("c", nil)
	wantCode(t, err, LimitExceeded)
	if err := s.Delete("a", nil); err != nil {
		t.Fatal(err)
	}
	mustCreate(t, s, "c", nil)
}

func TestStore(t *testing.T) {
	dir := t.TempDir()
	db := storetest.Open(t, dir)
	s := newService(t, Options{Store: db})
	a := mustCreate(t, s, "a", map[string]string{"k": "v"})
	mustCreate(t, s, "b", nil)
	if err := s.Delete("b", nil); err != nil {
		t.Fatal(err)
	}
	db.Close()
	_, err := s.Create("c", nil) // cannot be stored
	wantCode(t, err, InternalFailure)
	wantCode(t, s.Delete("a", nil), InternalFailure)
	if s.Exists("c") || !s.Exists("a") {
		t.Error("a change that was not stored took effect")
	}

	s = newService(t, Options{Store: storetest.Open(t, dir)})
	got, err := s.Describe("a")
	if err != nil || got.Name != "a" || got.ID != a.ID || got.Version != 1 || !maps.Equal(got.Attributes, a.Attributes) {
		t.Errorf("described %v, %v, want %v", got, err, a)
	}
	if s.Exists("b") {
		t.Error("a deleted thing exists")
	}
}
