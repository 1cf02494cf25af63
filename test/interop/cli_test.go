package interop

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The AWS CLI works with --endpoint-url. The region is not the default one.
func TestCLI(t *testing.T) {
	s := start(t, "-region", "eu-central-1")
	// Version 2 reads the text of --payload as base64, and version 1 does not. Both read a file as it is.
	payload := filepath.Join(t.TempDir(), "payload")
	if err := os.WriteFile(payload, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		command string // arguments, separated by spaces
		want    string // a regular expression for the output
		newer   bool   // older versions of the AWS CLI lack the operation
	}{
		{"iot describe-endpoint --endpoint-type iot:Data-ATS --query endpointAddress", `^"localhost:\d+"$`, false},
		{"iot create-thing --thing-name cli --query thingArn", `^"arn:aws:iot:eu-central-1:\d{12}:thing/cli"$`, false},
		{"iot list-things --query things[].thingName", `^\["cli"\]$`, false},
		{"iot create-policy --policy-name cli --policy-document {\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"iot:*\",\"Resource\":\"*\"}]} --query policyName", `^"cli"$`, false},
		{"iot create-job --job-id cli --targets arn:aws:iot:eu-central-1:123456789012:thing/cli --document {} --query jobId", `^"cli"$`, false},
		{"iot-jobs-data start-next-pending-job-execution --thing-name cli --query execution.status", `^"IN_PROGRESS"$`, false},
		{"iot-jobs-data update-job-execution --job-id cli --thing-name cli --status SUCCEEDED", `^$`, false},
		{"iot describe-job --job-id cli --query job.status", `^"COMPLETED"$`, false},
		{"iot-data publish --topic cli/1 --payload fileb://" + payload + " --qos 1 --retain", `^$`, false},
		{"iot-data get-retained-message --topic cli/1 --query payload", `^"aGVsbG8="$`, false},
		{"iot-data list-retained-messages --query retainedTopics[].topic", `^\["cli/1"\]$`, false},
		{"iot-data update-thing-shadow --thing-name cli --payload {\"state\":{\"desired\":{\"on\":true}}} /dev/stdout", `"desired":\{"on":true\}`, false},
		{"iot-data delete-connection --client-id nobody", `\(ResourceNotFoundException\) when calling the DeleteConnection operation`, true},
		{"iot list-topic-rules", `\(UnknownOperationException\)`, false},
		{"cognito-identity get-id --identity-pool-id " + s.Pool + " --query IdentityId", `^"eu-central-1:[0-9a-f-]{36}"$`, false},
		{"--region us-east-1 iot list-things", `\(InvalidSignatureException\).*'us-east-1'.*'eu-central-1'`, false},
	} {
		cmd := exec.CommandContext(t.Context(), "aws", append([]string{"--endpoint-url", s.URL, "--output", "json", "--cli-read-timeout", "30"}, strings.Fields(test.command)...)...)
		cmd.Env = append(os.Environ(), "AWS_CA_BUNDLE="+s.CAFile, "AWS_ACCESS_KEY_ID="+s.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+s.SecretAccessKey,
			"AWS_DEFAULT_REGION=eu-central-1", "AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true")
		out, err := cmd.CombinedOutput()
		if errors.Is(err, exec.ErrNotFound) {
			t.Fatal("the AWS CLI is not installed; run: make tools")
		}
		if test.newer && strings.Contains(string(out), "argument operation: Invalid choice") {
			continue
		}
		got := strings.Join(strings.Fields(string(out)), " ")
		got = strings.NewReplacer("[ ", "[", " ]", "]").Replace(got)
		if !regexp.MustCompile(test.want).MatchString(got) {
			t.Errorf("aws %s\nprints %s\nwant   %s", test.command, out, test.want)
		}
	}
}
