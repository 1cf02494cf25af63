package httpapi

import (
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"

	"iot.wasm/internal/localiot/iam"
)

const (
	defaultPolicyPage = 25  // the documentation does not state the default
	maxPolicyPage     = 250 // API_ListPolicies.html
)

// Policies are the AWS IoT policies and their attachments. An error of the type *iam.Error is sent with its
// code and message.
type Policies interface {
	CreatePolicy(name, document string) (iam.Policy, error)
	GetPolicy(name string) (iam.Policy, error)
	DeletePolicy(name string) error
	Policies() []iam.Policy // in the order of their creation
	AttachPolicy(name, target string) error
	DetachPolicy(name, target string) error
	ListAttachedPolicies(target string) ([]iam.Policy, error) // sorted by name
}

// AddPolicies registers CreatePolicy, GetPolicy, DeletePolicy, ListPolicies, AttachPolicy, DetachPolicy and
// ListAttachedPolicies.
func (a *API) AddPolicies(p Policies) {
	a.Handle(Control, "CreatePolicy", "POST /policies/{policyName}", func(r *Request) (any, error) { return a.createPolicy(p, r) })
	a.Handle(Control, "GetPolicy", "GET /policies/{policyName}", func(r *Request) (any, error) { return getPolicy(p, r) })
	a.Handle(Control, "DeletePolicy", "DELETE /policies/{policyName}", func(r *Request) (any, error) {
		name := r.Name("policyName")
		if err := r.Authorize("iot:DeletePolicy", "policy/"+name); err != nil {
			return nil, err
		}
		return nil, policyError(p.DeletePolicy(name))
	})
	a.Handle(Control, "ListPolicies", "GET /policies", func(r *Request) (any, error) { return listPolicies(p, r) })
	a.Handle(Control, "AttachPolicy", "PUT /target-policies/{policyName}", targetHandler("iot:AttachPolicy", p.AttachPolicy))
	a.Handle(Control, "DetachPolicy", "POST /target-policies/{policyName}", targetHandler("iot:DetachPolicy", p.DetachPolicy))
	a.Handle(Control, "ListAttachedPolicies", "POST /attached-policies/{target+}", func(r *Request) (any, error) {
		if err := r.Authorize("iot:ListAttachedPolicies", "*"); err != nil {
			return nil, err
		}
		list, err := p.ListAttachedPolicies(r.Name("target"))
		if err != nil {
			return nil, policyError(err)
		}
		return policyPage(r, list)
	})
}

// policyDocument is the response of CreatePolicy and GetPolicy (API_CreatePolicy.html,
// API_GetPolicy.html).
type policyDocument struct {
	Name             string `json:"policyName"`
	ARN              string `json:"policyArn"`
	Document         string `json:"policyDocument"`
	Version          string `json:"policyVersionId,omitempty"`
	DefaultVersion   string `json:"defaultVersionId,omitempty"`
	CreationDate     int64  `json:"creationDate,omitempty"` // s since 1970
	LastModifiedDate int64  `json:"lastModifiedDate,omitempty"`
}

func (a *API) createPolicy(p Policies, r *Request) (any, error) {
	name := r.Name("policyName")
	if err := r.Authorize("iot:CreatePolicy", "policy/"+name); err != nil {
		return nil, err
	}
	var body struct {
		PolicyDocument *string `json:"policyDocument"`
	}
	if err := r.Decode(&body); err != nil {
		return nil, err
	}
	if body.PolicyDocument == nil {
		return nil, Invalid("The request has no policyDocument.")
	}
	created, err := p.CreatePolicy(name, *body.PolicyDocument)
	if err != nil {
		return nil, policyError(err)
	}
	for _, warning := range created.Document.Warnings() {
		a.log.Warn("policy", "policy", name, "warning", warning)
	}
	return policyDocument{Name: created.Name, ARN: created.ARN, Document: created.Document.String(), Version: created.Version}, nil
}

func getPolicy(p Policies, r *Request) (any, error) {
	name := r.Name("policyName")
	if err := r.Authorize("iot:GetPolicy", "policy/"+name); err != nil {
		return nil, err
	}
	found, err := p.GetPolicy(name)
	if err != nil {
		return nil, policyError(err)
	}
	created := found.Created.Unix()
	return policyDocument{
		Name: found.Name, ARN: found.ARN, Document: found.Document.String(),
		DefaultVersion: found.Version, CreationDate: created, LastModifiedDate: created,
	}, nil
}

func listPolicies(p Policies, r *Request) (any, error) {
	if err := r.Authorize("iot:ListPolicies", "*"); err != nil {
		return nil, err
	}
	ascending, err := r.Bool("isAscendingOrder")
	if err != nil {
		return nil, err
	}
	list := p.Policies()
	if !ascending && r.Query.Has("isAscendingOrder") {
		slices.Reverse(list)
	}
	return policyPage(r, list)
}

// policyPage returns a page of a list. The marker is the name of the last policy on the page before.
func policyPage(r *Request, list []iam.Policy) (any, error) {
	pageSize, err := r.Int("pageSize", 1, maxPolicyPage, defaultPolicyPage)
	if err != nil {
		return nil, err
	}
	if marker := r.Query.Get("marker"); marker != "" {
		last, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(marker, " ", "+"))
		i := slices.IndexFunc(list, func(p iam.Policy) bool { return p.Name == string(last) })
		if err != nil || i < 0 {
			return nil, Invalid("The marker is not valid.")
		}
		list = list[i+1:]
	}
	type policy struct {
		Name string `json:"policyName"`
		ARN  string `json:"policyArn"`
	}
	var page struct {
		Policies   []policy `json:"policies"`
		NextMarker string   `json:"nextMarker,omitempty"`
	}
	page.Policies = []policy{}
	for i, p := range list {
		if i == int(pageSize) {
			page.NextMarker = base64.StdEncoding.EncodeToString([]byte(list[i-1].Name))
			break
		}
		page.Policies = append(page.Policies, policy{p.Name, p.ARN})
	}
	return page, nil
}

func targetHandler(action string, operation func(name, target string) error) Handler {
	return func(r *Request) (any, error) {
		name := r.Name("policyName")
		if err := r.Authorize(action, "policy/"+name); err != nil {
			return nil, err
		}
		var body struct {
			Target string `json:"target"`
		}
		if err := r.Decode(&body); err != nil {
			return nil, err
		}
		return nil, policyError(operation(name, body.Target))
	}
}

// policyStatus contains the statuses of exceptions other than 400 (API_CreatePolicy.html,
// API_AttachPolicy.html, API_DeletePolicy.html).
var policyStatus = map[string]int{
	"ResourceNotFoundException":      http.StatusNotFound,
	"ResourceAlreadyExistsException": http.StatusConflict,
	"DeleteConflictException":        http.StatusConflict,
	"LimitExceededException":         http.StatusGone,
	internalFailure:                  http.StatusInternalServerError,
}

// policyError converts an *iam.Error to an *Error.
func policyError(err error) error {
	var e *iam.Error
	if !errors.As(err, &e) {
		return err
	}
	status := policyStatus[e.Code]
	if status == 0 {
		status = http.StatusBadRequest
	}
	return &Error{Status: status, Code: e.Code, Message: e.Message}
}
