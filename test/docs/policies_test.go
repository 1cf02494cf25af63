package docs

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"iot.wasm/test/harness"
)

// texts decodes a string, or an array of strings, as policies have them.
type texts []string

func (t *texts) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		*t = make(texts, 1)
		return json.Unmarshal(data, &(*t)[0])
	}
	return json.Unmarshal(data, (*[]string)(t))
}

// A policy is an IAM policy, a trust policy, or an AWS IoT policy.
type policy struct {
	Version   string
	Statement []struct {
		Effect    string
		Principal map[string]string
		Action    texts
		Resource  texts
		Condition map[string]map[string]texts
	}
}

// resources has the kind of resource for each action, by AWS's table "AWS IoT Core action
// resources". Actions of other services have no kind here.
var resources = map[string]string{
	"iot:Connect": "client/", "iot:Publish": "topic/", "iot:RetainPublish": "topic/", "iot:Receive": "topic/", "iot:Subscribe": "topicfilter/",
	"sts:AssumeRole": "", "sts:AssumeRoleWithWebIdentity": "",
	"logs:CreateLogGroup": "", "logs:CreateLogStream": "", "logs:PutLogEvents": "", "logs:PutMetricFilter": "", "logs:PutRetentionPolicy": "",
}

// arn matches the ARNs of the documents: setup.sh replaces this region and this account.
var arn = regexp.MustCompile(`^arn:aws:(iot|logs):eu-west-1:123456789012:(.+)$`)

// blocks are the JSON blocks of a document.
var blocks = regexp.MustCompile("(?ms)^ *```json\n(.*?)^ *```$")

// TestPolicies checks the structure of each policy in docs/aws and in the documents.
func TestPolicies(t *testing.T) {
	all := map[string]string{}
	files, err := filepath.Glob(filepath.Join(harness.Root, "docs/aws/*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := "docs/aws/" + filepath.Base(file)
		all[name] = read(t, name)
		if !strings.Contains(read(t, "docs/aws.md"), "(aws/"+filepath.Base(file)+")") {
			t.Errorf("docs/aws.md has no link to %s", name)
		}
	}
	for _, path := range documents(t) {
		for _, block := range blocks.FindAllStringSubmatch(read(t, path), -1) {
			if strings.Contains(block[1], `"Statement"`) && !strings.Contains(block[1], `"authorizers"`) {
				all[path] = block[1]
			}
		}
	}
	if len(all) < 8 || all["README.md"] == "" {
		t.Errorf("found only %d policies", len(all))
	}
	for name, text := range all {
		checkPolicy(t, name, text)
	}
}

func checkPolicy(t *testing.T, name, text string) {
	t.Helper()
	var p policy
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&p); err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	// AWS IoT accepts 2,048 characters without white space. IAM accepts 10,240 in all inline policies of a role, and
	// the role for guests has two.
	most := 2048
	if strings.HasSuffix(name, "-role-policy.json") {
		most = 10240 / 2
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(text)); err != nil || compact.Len() > most {
		t.Errorf("%s has %d characters (%v), want at most %d", name, compact.Len(), err, most)
	}
	if p.Version != "2012-10-17" || len(p.Statement) == 0 {
		t.Errorf("%s: the version is %q, and it has %d statements", name, p.Version, len(p.Statement))
	}
	for i, s := range p.Statement {
		if s.Effect != "Allow" || len(s.Action) == 0 {
			t.Errorf("%s, statement %d: effect %q, actions %q", name, i, s.Effect, s.Action)
		}
		for _, action := range s.Action {
			kind, known := resources[action]
			if !known {
				t.Errorf("%s: the action %q is unknown", name, action)
			}
			for _, resource := range s.Resource {
				if match := arn.FindStringSubmatch(resource); match == nil || !strings.HasPrefix(match[2], kind) {
					t.Errorf("%s: %s has the resource %s", name, action, resource)
				}
			}
			if action == "iot:Connect" && len(s.Condition["ForAllValues:StringEquals"]["iot:ConnectAttributes"]) != 2 {
				t.Errorf("%s: iot:Connect has no condition for sessions and wills", name)
			}
			if action != "sts:AssumeRoleWithWebIdentity" {
				continue
			}
			// Without these conditions, the identities of any pool could assume the role.
			if s.Principal["Federated"] != "cognito-identity.amazonaws.com" ||
				len(s.Condition["StringEquals"]["cognito-identity.amazonaws.com:aud"]) != 1 ||
				len(s.Condition["ForAnyValue:StringLike"]["cognito-identity.amazonaws.com:amr"]) != 1 {
				t.Errorf("%s: the trust policy trusts %v if %v", name, s.Principal, s.Condition)
			}
		}
		if trust := len(s.Principal) > 0; trust == (len(s.Resource) > 0) {
			t.Errorf("%s, statement %d has principals %v and resources %q", name, i, s.Principal, s.Resource)
		}
	}
}
