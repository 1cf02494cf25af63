package httpapi

import (
	"errors"
	"net/http"

	"iot.wasm/internal/localiot/things"
)

// thing is a thing in a response (API_DescribeThing.html, API_ThingAttribute.html).
type thing struct {
	ThingName       string            `json:"thingName"`
	ThingARN        string            `json:"thingArn"`
	ThingID         string            `json:"thingId,omitempty"`
	DefaultClientID string            `json:"defaultClientId,omitempty"`
	Attributes      map[string]string `json:"attributes"`
	Version         int64             `json:"version"`
}

func newThing(s *things.Service, t things.Thing) thing {
	attributes := t.Attributes
	if attributes == nil {
		attributes = map[string]string{}
	}
	return thing{ThingName: t.Name, ThingARN: s.ARN(t.Name), Attributes: attributes, Version: t.Version}
}

// AddThings registers CreateThing, DescribeThing, ListThings and DeleteThing. deleted is called after a
// thing was deleted; see jobs.Service.RemoveThing.
func (a *API) AddThings(s *things.Service, deleted func(thing string) error) {
	a.Handle(Control, "CreateThing", "POST /things/{thingName}", thingHandler("iot:CreateThing", func(r *Request, name string) (any, error) {
		var body struct {
			ThingTypeName    string
			BillingGroupName string
			AttributePayload struct{ Attributes map[string]string }
		}
		if err := r.Decode(&body); err != nil {
			return nil, err
		}
		if body.ThingTypeName != "" {
			return nil, NotFound("The local AWS IoT Core has no thing types")
		}
		if body.BillingGroupName != "" {
			return nil, NotFound("The local AWS IoT Core has no billing groups")
		}
		t, err := s.Create(name, body.AttributePayload.Attributes)
		if err != nil {
			return nil, err
		}
		return map[string]string{"thingName": name, "thingArn": s.ARN(name), "thingId": t.ID}, nil
	}))
	a.Handle(Control, "DescribeThing", "GET /things/{thingName}", thingHandler("iot:DescribeThing", func(_ *Request, name string) (any, error) {
		t, err := s.Describe(name)
		if err != nil {
			return nil, err
		}
		described := newThing(s, t)
		described.ThingID, described.DefaultClientID = t.ID, name
		return described, nil
	}))
	a.Handle(Control, "DeleteThing", "DELETE /things/{thingName}", thingHandler("iot:DeleteThing", func(r *Request, name string) (any, error) {
		version, err := r.optionalInt("expectedVersion")
		if err == nil {
			err = s.Delete(name, version)
		}
		if err == nil {
			err = deleted(name)
		}
		return struct{}{}, err
	}))
	a.Handle(Control, "ListThings", "GET /things", func(r *Request) (any, error) {
		if err := r.Authorize("iot:ListThings", "*"); err != nil {
			return nil, err
		}
		size, err := r.Int("maxResults", 1, 250, 0)
		if err != nil {
			return nil, err
		}
		if r.Query.Get("thingTypeName") != "" {
			return nil, NotFound("The local AWS IoT Core has no thing types")
		}
		page, next, err := s.List(things.ListOptions{
			MaxResults:     int(size),
			NextToken:      r.Query.Get("nextToken"),
			AttributeName:  r.Query.Get("attributeName"),
			AttributeValue: r.Query.Get("attributeValue"),
		})
		if err != nil {
			return nil, thingError(err)
		}
		list := make([]thing, len(page))
		for i, t := range page {
			list[i] = newThing(s, t)
		}
		return struct {
			Things    []thing `json:"things"`
			NextToken string  `json:"nextToken,omitempty"`
		}{list, next}, nil
	})
}

// thingHandler returns a Handler of an action on the thing in the path.
func thingHandler(action string, operation func(r *Request, thing string) (any, error)) Handler {
	return func(r *Request) (any, error) {
		name := r.Name("thingName")
		if err := r.Authorize(action, "thing/"+name); err != nil {
			return nil, err
		}
		result, err := operation(r, name)
		if err != nil {
			return nil, thingError(err)
		}
		return result, nil
	}
}

// thingStatus are the statuses of the errors of the registry of things (API_CreateThing.html,
// API_DeleteThing.html).
var thingStatus = map[string]int{
	things.InvalidRequest:  http.StatusBadRequest,
	things.NotFound:        http.StatusNotFound,
	things.AlreadyExists:   http.StatusConflict,
	things.VersionConflict: http.StatusConflict,
	things.LimitExceeded:   http.StatusGone,
	things.InternalFailure: http.StatusInternalServerError,
}

// thingError converts an error of the registry.
func thingError(err error) error {
	var e *things.Error
	if !errors.As(err, &e) {
		return err
	}
	return &Error{Status: thingStatus[e.Code], Code: e.Code + "Exception", Message: e.Message}
}
