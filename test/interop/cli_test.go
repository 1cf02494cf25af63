package interop

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// The AWS CLI works with --endpoint-url. The region is not the default one.
func TestCLI(t *testing.T) {
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("the AWS CLI is not installed")
	}
	s := start(t, "-region", "eu-central-1")
	for _, test := range []struct {
		command string // arguments, separated by spaces
		want    string // a regular expression for the output
	}{
		{"iot describe-endpoint --endpoint-type iot:Data-ATS --query endpointAddress", `^"localhost:\d+"$`},
		{"iot create-thing --thing-name cli --query thingArn", `^"arn:aws:iot:eu-central-1:\d{12}:thing/cli"$`},
		{"iot list-things --query things[].thingName", `^\["cli"\]$`},
		{"iot create-policy --policy-name cli --policy-document {\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"iot:*\",\"Resource\":\"*\"}]} --query policyName", `^"cli"$|MalformedPolicyException`},
		{"iot create-job --job-id cli --targets arn:aws:iot:eu-central-1:123456789012:thing/cli --document {} --query jobId", `^"cli"$`},
		{"iot-jobs-data start-next-pending-job-execution --thing-name cli --query execution.status", `^"IN_PROGRESS"$`},
		{"iot-jobs-data update-job-execution --job-id cli --thing-name cli --status SUCCEEDED", `^$`},
		{"iot describe-job --job-id cli --query job.status", `^"COMPLETED"$`},
		{"iot-data publish --topic cli/1 --payload hello --qos 1 --retain", `^$`},
		{"iot-data get-retained-message --topic cli/1 --query payload", `^"aGVsbG8="$`},
		{"iot-data list-retained-messages --query retainedTopics[].topic", `^\["cli/1"\]$`},
		{"iot-data update-thing-shadow --thing-name cli --payload {\"state\":{\"desired\":{\"on\":true}}} /dev/stdout", `"desired":\{"on":true\}`},
		{"iot-data delete-connection --client-id nobody", `\(ResourceNotFoundException\) when calling the DeleteConnection operation`},
		{"iot list-topic-rules", `\(UnknownOperationException\)`},
		{"cognito-identity get-id --identity-pool-id " + s.Pool + " --query IdentityId", `^"eu-central-1:[0-9a-f-]{36}"$`},
		{"--region us-east-1 iot list-things", `\(InvalidSignatureException\).*'us-east-1'.*'eu-central-1'`},
	} {
		cmd := exec.CommandContext(t.Context(), "aws", append([]string{"--endpoint-url", s.URL, "--output", "json", "--cli-read-timeout", "30"}, strings.Fields(test.command)...)...)
		cmd.Env = append(os.Environ(), "AWS_CA_BUNDLE="+s.CAFile, "AWS_ACCESS_KEY_ID="+s.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+s.SecretAccessKey,
			"AWS_DEFAULT_REGION=eu-central-1", "AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true")
		out, _ := cmd.CombinedOutput()
		got := strings.Join(strings.Fields(string(out)), " ")
		got = strings.NewReplacer("[ ", "[", " ]", "]").Replace(got)
		if !regexp.MustCompile(test.want).MatchString(got) {
			t.Errorf("aws %s\nprints %s\nwant   %s", test.command, out, test.want)
		}
	}
}
