package docs

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"iot.wasm/test/harness"
)

// TestScriptSyntax checks setup.sh with bash and shellcheck, and the Lambda function with Node.
func TestScriptSyntax(t *testing.T) {
	node, err := harness.Node(22)
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"bash", "-n", "docs/aws/setup.sh"}, {"shellcheck", "docs/aws/setup.sh", "test/tools"}, {node, "--check", "docs/aws/attach-policy.mjs"}} {
		if err := harness.Command(harness.Root, command[0], command[1:]...); err != nil {
			t.Error(err)
		}
	}
}

// fakeAWS is a program that stands for the AWS CLI on an empty account. It writes its arguments
// to a file, one line of Base64 each, and an empty line at the end.
const fakeAWS = `#!/bin/sh
for argument; do printf '%s' "$argument" | base64 -w 0; echo; done >>"$LOG"
echo >>"$LOG"
case "$1 $2" in
"configure get") echo eu-north-1 ;;
"sts get-caller-identity") echo 210987654321 ;;
"cognito-identity create-identity-pool") echo eu-north-1:11111111-2222-3333-4444-555555555555 ;;
"iam get-role" | "iot get-policy") exit 255 ;;
"iot describe-endpoint") echo example-ats.iot.eu-north-1.amazonaws.com ;;
esac
`

// TestScriptUp runs "setup.sh up" on an empty account, and checks the commands: each policy is
// valid JSON for this account, and all resources are created.
func TestScriptUp(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "aws"), []byte(fakeAWS), 0o755); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(dir, "log")
	cmd := exec.Command("bash", "docs/aws/setup.sh", "up", "test")
	cmd.Dir = harness.Root
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "LOG="+log, "AWS_REGION=", "USER_POOL_ID=eu-north-1_abc", "USER_POOL_CLIENT_ID=client")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"example-ats.iot.eu-north-1.amazonaws.com", "eu-north-1:11111111-2222-3333-4444-555555555555"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the output has no %s:\n%s", want, out)
		}
	}
	var got []string
	for _, arguments := range calls(t, log) {
		got = append(got, strings.Join(arguments[:2], " "))
		for _, argument := range arguments {
			if !strings.HasPrefix(argument, "{") {
				continue
			}
			if !json.Valid([]byte(argument)) || !strings.Contains(argument, "210987654321") && !strings.Contains(argument, "eu-north-1:11111111") {
				t.Errorf("%q has the document %s", arguments[:2], argument)
			}
			if placeholder := regexp.MustCompile(`eu-west-1|123456789012|IDENTITY_POOL_ID`).FindString(argument); placeholder != "" {
				t.Errorf("%q: the document has the placeholder %s", arguments[:2], placeholder)
			}
		}
		if arguments[1] == "create-identity-pool" && !slices.Contains(arguments, "ProviderName=cognito-idp.eu-north-1.amazonaws.com/eu-north-1_abc,ClientId=client,ServerSideTokenCheck=true") {
			t.Errorf("the identity pool has no login provider: %q", arguments)
		}
	}
	for name, want := range map[string]int{"cognito-identity create-identity-pool": 1, "cognito-identity set-identity-pool-roles": 1,
		"iam create-role": 2, "iam put-role-policy": 2, "iot create-policy": 1} {
		count := 0
		for _, call := range got {
			if call == name {
				count++
			}
		}
		if count != want {
			t.Errorf("the script calls %s %d times, want %d; all calls: %q", name, count, want, got)
		}
	}
}

// calls reads the arguments of each call of the fake AWS CLI.
func calls(t *testing.T, path string) (all [][]string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range strings.Split(strings.TrimSuffix(string(data), "\n\n"), "\n\n") {
		var arguments []string
		for _, line := range strings.Split(call, "\n") {
			// encoding/json decodes Base64 into bytes.
			var argument []byte
			if err := json.Unmarshal([]byte(`"`+line+`"`), &argument); err != nil {
				t.Fatal(err)
			}
			arguments = append(arguments, string(argument))
		}
		all = append(all, arguments)
	}
	return all
}
