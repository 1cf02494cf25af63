package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"

	"iot.wasm/internal/localiot/shadow"
)

// Shadows are the device shadows. The bodies are the documents of package shadow. An error of the type
// *shadow.Error is sent with its code and message. A name is "" for the classic shadow.
type Shadows interface {
	Get(thing, name string) ([]byte, error)
	Delete(thing, name string) ([]byte, error)

	// Update returns the document for update/accepted.
	Update(thing, name string, body []byte) ([]byte, error)

	// ListNamed returns a page of the names of shadows. pageSize is 0 for the default.
	ListNamed(thing string, pageSize int, nextToken string) ([]byte, error)
}

// AddShadows registers GetThingShadow, UpdateThingShadow, DeleteThingShadow and
// ListNamedShadowsForThing.
func (a *API) AddShadows(s Shadows) {
	a.Handle(Data, "GetThingShadow", "GET /things/{thingName}/shadow", shadowHandler("iot:GetThingShadow",
		func(thing, name string, _ []byte) ([]byte, error) { return s.Get(thing, name) }))
	a.Handle(Data, "UpdateThingShadow", "POST /things/{thingName}/shadow", shadowHandler("iot:UpdateThingShadow", s.Update))
	a.Handle(Data, "DeleteThingShadow", "DELETE /things/{thingName}/shadow", shadowHandler("iot:DeleteThingShadow",
		func(thing, name string, _ []byte) ([]byte, error) { return s.Delete(thing, name) }))
	a.Handle(Data, "ListNamedShadowsForThing", "GET /api/things/shadow/ListNamedShadowsForThing/{thingName}", func(r *Request) (any, error) {
		thing := r.Name("thingName")
		if err := r.Authorize("iot:ListNamedShadowsForThing", "thing/"+thing); err != nil {
			return nil, err
		}
		pageSize, err := r.Int("pageSize", 1, 100, 0)
		if err != nil {
			return nil, err
		}
		return shadowDocument(s.ListNamed(thing, int(pageSize), r.Query.Get("nextToken")))
	})
}

func shadowHandler(action string, operation func(thing, name string, body []byte) ([]byte, error)) Handler {
	return func(r *Request) (any, error) {
		thing, name := r.Name("thingName"), r.Query.Get("name")
		resource := "thing/" + thing
		if name != "" {
			resource += "/" + name
		}
		if err := r.Authorize(action, resource); err != nil {
			return nil, err
		}
		return shadowDocument(operation(thing, name, r.Body))
	}
}

// shadowExceptions are the names of the errors of the shadow service by their codes
// (API_iotdata_UpdateThingShadow.html).
var shadowExceptions = map[int]string{
	http.StatusBadRequest:            "InvalidRequestException",
	http.StatusUnauthorized:          "UnauthorizedException",
	http.StatusForbidden:             "ForbiddenException",
	http.StatusNotFound:              "ResourceNotFoundException",
	http.StatusConflict:              "ConflictException",
	http.StatusRequestEntityTooLarge: "RequestEntityTooLargeException",
	http.StatusUnsupportedMediaType:  "UnsupportedDocumentEncodingException",
	http.StatusTooManyRequests:       "ThrottlingException",
}

func shadowDocument(document []byte, err error) (any, error) {
	var e *shadow.Error
	if errors.As(err, &e) {
		code := shadowExceptions[e.Code]
		if code == "" {
			code = internalFailure
		}
		return nil, &Error{Status: e.Code, Code: code, Message: e.Message}
	} else if err != nil {
		return nil, err
	}
	return json.RawMessage(document), nil
}
