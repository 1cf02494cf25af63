package httpapi

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"iot.wasm/internal/localiot/iam"
)

const (
	identity     = "us-east-1:12345678-1234-4234-8234-123456789abc"
	allowPublish = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iot:Publish","Resource":"*"}}`
)

// controlRequest is a request for the control plane.
func controlRequest(method, path string, body any) signedRequest {
	q := signedRequest{method: method, path: path, service: "iot"}
	if body != nil {
		b, _ := json.Marshal(body)
		q.body = string(b)
	}
	return q
}

func startPolicies(t *testing.T) (*testAPI, *iam.Registry) {
	a := startAPI(t)
	registry, err := iam.NewRegistry(iam.RegistryOptions{Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	a.AddPolicies(registry)
	return a, registry
}

func TestPolicies(t *testing.T) {
	a, registry := startPolicies(t)
	document := map[string]string{"policyDocument": allowPublish}
	var p struct {
		PolicyName, PolicyArn, PolicyDocument, PolicyVersionID, DefaultVersionID string
		CreationDate, LastModifiedDate                                           float64
	}
	a.want(a.send(controlRequest("POST", "/policies/hello", document)), &p)
	if p.PolicyName != "hello" || p.PolicyArn != "arn:aws:iot:us-east-1:123456789012:policy/hello" || p.PolicyDocument != allowPublish || p.PolicyVersionID != "1" {
		t.Errorf("CreatePolicy: %+v", p)
	}
	a.want(a.send(controlRequest("GET", "/policies/hello", nil)), &p)
	if p.DefaultVersionID != "1" || p.PolicyDocument != allowPublish || p.CreationDate == 0 || p.LastModifiedDate != p.CreationDate {
		t.Errorf("GetPolicy: %+v", p)
	}
	certificate := "arn:aws:iot:us-east-1:123456789012:cert/" + strings.Repeat("0a", 32)
	for _, target := range []string{identity, certificate} {
		if r := a.send(controlRequest("PUT", "/target-policies/hello", map[string]string{"target": target})); r.StatusCode != 200 || r.body != "" {
			t.Errorf("AttachPolicy: %d %s", r.StatusCode, r.body)
		}
		for _, path := range []string{url.PathEscape(target), target} {
			var list struct {
				Policies []struct{ PolicyName, PolicyArn string }
			}
			a.want(a.send(controlRequest("POST", "/attached-policies/"+path, nil)), &list)
			if len(list.Policies) != 1 || list.Policies[0].PolicyName != "hello" || list.Policies[0].PolicyArn != p.PolicyArn {
				t.Errorf("ListAttachedPolicies of %s: %+v", path, list)
			}
		}
	}
	if s := registry.Session(iam.Owner{IdentityID: identity, Authenticated: true}, iam.Connection{}); !s.Publish("a", false) {
		t.Error("AttachPolicy has no effect")
	}
	a.wantError(a.send(controlRequest("DELETE", "/policies/hello", nil)), 409, "DeleteConflictException")
	for _, target := range []string{identity, certificate} {
		a.want(a.send(controlRequest("POST", "/target-policies/hello", map[string]string{"target": target})), nil)
	}
	a.want(a.send(controlRequest("DELETE", "/policies/hello", nil)), nil)
	a.wantError(a.send(controlRequest("GET", "/policies/hello", nil)), 404, "ResourceNotFoundException")
}

func TestPolicyErrors(t *testing.T) {
	a, _ := startPolicies(t)
	a.want(a.send(controlRequest("POST", "/policies/hello", map[string]string{"policyDocument": allowPublish})), nil)
	limitedRequest := controlRequest("PUT", "/target-policies/hello", map[string]string{"target": identity})
	limitedRequest.id = limitedID
	dataPlane := controlRequest("GET", "/policies/hello", nil)
	dataPlane.service = "iotdata"
	for name, test := range map[string]struct {
		request signedRequest
		status  int
		code    string
	}{
		"existing":        {controlRequest("POST", "/policies/hello", map[string]string{"policyDocument": allowPublish}), 409, "ResourceAlreadyExistsException"},
		"malformed":       {controlRequest("POST", "/policies/b", map[string]string{"policyDocument": "{}"}), 400, "MalformedPolicyException"},
		"empty document":  {controlRequest("POST", "/policies/b", map[string]string{"policyDocument": ""}), 400, "MalformedPolicyException"},
		"large document":  {controlRequest("POST", "/policies/b", map[string]string{"policyDocument": allowPublish + strings.Repeat(" ", 500000)}), 400, "MalformedPolicyException"},
		"no document":     {controlRequest("POST", "/policies/b", map[string]string{}), 400, "InvalidRequestException"},
		"not JSON":        {signedRequest{method: "POST", path: "/policies/b", service: "iot", body: "{"}, 400, "InvalidRequestException"},
		"object document": {controlRequest("POST", "/policies/b", map[string]any{"policyDocument": map[string]string{}}), 400, "InvalidRequestException"},
		"deep":            {signedRequest{method: "POST", path: "/policies/b", service: "iot", body: `{"policyDocument":` + strings.Repeat("[", 100000)}, 400, "InvalidRequestException"},
		"dots":            {controlRequest("POST", "/policies/..%2Fb", map[string]string{"policyDocument": allowPublish}), 400, "InvalidRequestException"},
		"unknown policy":  {controlRequest("PUT", "/target-policies/b", map[string]string{"target": identity}), 404, "ResourceNotFoundException"},
		"unknown target":  {controlRequest("PUT", "/target-policies/hello", map[string]string{"target": "nobody"}), 400, "InvalidRequestException"},
		"no target":       {controlRequest("POST", "/target-policies/hello", map[string]string{}), 400, "InvalidRequestException"},
		"list of nobody":  {controlRequest("POST", "/attached-policies/nobody", nil), 400, "InvalidRequestException"},
		"page size":       {controlRequest("GET", "/policies?pageSize=0", nil), 400, "InvalidRequestException"},
		"marker":          {controlRequest("GET", "/policies?marker=x", nil), 400, "InvalidRequestException"},
		"order":           {controlRequest("GET", "/policies?isAscendingOrder=x", nil), 400, "InvalidRequestException"},
		"not permitted":   {limitedRequest, 403, "AccessDeniedException"},
		"data plane":      {dataPlane, 403, "InvalidSignatureException"},
	} {
		t.Run(name, func(t *testing.T) { a.wantError(a.send(test.request), test.status, test.code) })
	}
}

func TestListPolicies(t *testing.T) {
	a, registry := startPolicies(t)
	for i := range 7 {
		if _, err := registry.CreatePolicy(fmt.Sprintf("p%d", i), allowPublish); err != nil {
			t.Fatal(err)
		}
	}
	for query, want := range map[string]string{
		"pageSize=3":                         "p0p1p2 p3p4p5 p6 ",
		"pageSize=7":                         "p0p1p2p3p4p5p6 ",
		"isAscendingOrder=false&pageSize=5":  "p6p5p4p3p2 p1p0 ",
		"isAscendingOrder=true&pageSize=250": "p0p1p2p3p4p5p6 ",
	} {
		got, marker := "", ""
		for {
			var page struct {
				Policies   []struct{ PolicyName string }
				NextMarker string
			}
			a.want(a.send(controlRequest("GET", "/policies?"+query+"&marker="+url.QueryEscape(marker), nil)), &page)
			for _, p := range page.Policies {
				got += p.PolicyName
			}
			got += " "
			if marker = page.NextMarker; marker == "" {
				break
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}

// The log names the parts of a policy that are not supported.
func TestPolicyWarning(t *testing.T) {
	a, _ := startPolicies(t)
	document := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iot:Connect","Resource":"*","Condition":{"StringEquals":{"iot:VpcId":"vpc-1"}}}}`
	a.want(a.send(controlRequest("POST", "/policies/vpc", map[string]string{"policyDocument": document})), nil)
	if log := a.log.String(); !strings.Contains(log, "iot:VpcId is not supported") {
		t.Errorf("the log is %s", log)
	}
}
