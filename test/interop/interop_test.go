package interop

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"iot.wasm/test/harness"
)

// scriptTimeout bounds the run of one script. A script takes about a second.
const scriptTimeout = 30 * time.Second

// A client is a script of the folder clients, and what it must print.
type client struct {
	name   string
	script string // name and arguments
	shadow bool   // the client reports {"client":<script's name>,"colour":"red"}
	job    bool   // the client runs a job
	want   string // lines; THING, JOB and ENDPOINT stand for the thing, the job, and host:port
}

// Messages of many clients.
const (
	connected311 = `["connected","MQTT 3.1.1"]` + "\n"
	connected5   = `["connected","MQTT 5"]` + "\n"
	stopped      = `["stopped",null]`
	paho         = `["connected",0]
		["subscribed",[1]]
		["received",["THING/hello",{"hello":"THING"}]]
		["stopped",0]`
)

var clients = []client{
	{
		name:   "aws-iot-device-sdk-v2/MQTT 5",
		script: "sdk2-mqtt5",
		want: connected5 + `["subscribed",[1]]
			["published",0]
			["received",["THING/hello","{\"hello\":\"THING\"}","application/json","THING/answer","7",[{"name":"unit","value":"lx"}]]]
			["unsubscribed",[0]]
			` + stopped,
	},
	{
		name:   "aws-iot-device-sdk-v2/MQTT 3.1.1",
		script: "sdk2-mqtt311",
		want: connected311 + `["subscribed",1]
			["received",["THING/hello","{\"hello\":\"THING\"}"]]
			` + stopped,
	},
	{
		name:   "aws-iot-device-sdk-v2/keys of a guest",
		script: "sdk2-guest",
		want: connected5 + `["subscribed",[1,135]]
			["received","hello"]
			["private",135]
			` + stopped,
	},
	{
		name:   "aws-iot-device-sdk-v2/custom authorizer",
		script: "sdk2-authorizer",
		want: connected5 + `["received","hello"]
			` + stopped,
	},
	{
		name:   "aws-iot-device-sdk-v2/shadow client v2",
		script: "sdk2-shadow-v2",
		shadow: true,
		want: connected5 + `["no shadow",404]
			["delta",[{"colour":"red"},1]]
			["updated",[{"reported":{"colour":"red","client":"sdk2-shadow-v2"}},2]]
			["got",{"desired":{"colour":"red"},"reported":{"colour":"red","client":"sdk2-shadow-v2"}}]
			["conflict",409]
			["named",{"reported":{"on":true}}]
			` + stopped,
	},
	{
		name:   "aws-iot-device-sdk-v2/shadow client v1",
		script: "sdk2-shadow-v1",
		shadow: true,
		want: connected311 + `["delta",{"colour":"red"}]
			["updated",[{"reported":{"colour":"red","client":"sdk2-shadow-v1"}},"t2"]]
			["got",{"desired":{"colour":"red"},"reported":{"colour":"red","client":"sdk2-shadow-v1"}}]
			` + stopped,
	},
	{
		name:   "aws-iot-device-sdk-v2/jobs client v2",
		script: "sdk2-jobs-v2",
		job:    true,
		want: connected5 + `["pending",[["JOB"],0]]
			["described",["QUEUED",{"operation":"install"}]]
			["started",["JOB","IN_PROGRESS",{"step":"download"}]]
			["stale","VersionMismatch"]
			["updated","SUCCEEDED"]
			["next",null]
			` + stopped,
	},
	{
		name:   "aws-iot-device-sdk-v2/jobs client v1",
		script: "sdk2-jobs-v1",
		job:    true,
		want: connected311 + `["started",["JOB","IN_PROGRESS",{"operation":"install"},"t1"]]
			["updated","t2"]
			["next",null]
			` + stopped,
	},
	{
		name:   "aws-iot-device-sdk/device",
		script: "sdk1-device",
		want: `["connected",null]
			["subscribed",[{"topic":"THING/+","qos":1}]]
			["received",["THING/hello","{\"hello\":\"THING\"}"]]
			` + stopped,
	},
	{
		name:   "aws-iot-device-sdk/custom authorizer",
		script: "sdk1-authorizer",
		want: `["connected",null]
			["received","hello"]
			` + stopped,
	},
	{
		name:   "aws-iot-device-sdk/thingShadow",
		script: "sdk1-shadow",
		shadow: true,
		want: `["connected",null]
			["registered",null]
			["desired","accepted"]
			["delta",{"colour":"red"}]
			["reported","accepted"]
			["got",["accepted",{"desired":{"colour":"red"},"reported":{"colour":"red","client":"sdk1-shadow"}}]]
			` + stopped,
	},
	{
		name:   "aws-iot-device-sdk/jobs",
		script: "sdk1-jobs",
		job:    true,
		want: `["connected",null]
			["job",["JOB",{"operation":"install"},"QUEUED"]]
			` + stopped,
	},
	{name: "MQTT.js/MQTT 5", script: "mqttjs 5", shadow: true, job: true, want: mqttjs("5")},
	{name: "MQTT.js/MQTT 3.1.1", script: "mqttjs 4", shadow: true, job: true, want: mqttjs("4")},
	{name: "Paho for Python/MQTT 5", script: "python-paho.py 5", want: paho},
	{name: "Paho for Python/MQTT 3.1.1", script: "python-paho.py 4", want: paho},
	{
		name:   "AWS Amplify/PubSub",
		script: "amplify",
		want: `["connected",null]
			["received",{"hello":"THING"}]
			` + stopped,
	},
	{
		name:   "@aws-sdk/client-iot-data-plane",
		script: "iot-data-plane",
		shadow: true,
		want: `["retained",["THING/news/1","good",1,true]]
			["listed",4]
			["no message",["ResourceNotFoundException",404]]
			["no shadow",["ResourceNotFoundException",404]]
			["updated",[{"reported":{"client":"iot-data-plane","colour":"red"}},1]]
			["got",{"reported":{"client":"iot-data-plane","colour":"red"}}]
			["conflict",["ConflictException",409]]
			["bad",["InvalidRequestException",400]]
			["named",["lamp"]]
			["named",[]]`,
	},
	{
		name:   "@aws-sdk/client-iot-data-plane with MQTT",
		script: "iot-data-plane-mqtt",
		want: connected5 + `["news",["good",1,"text/plain","THING/news/answer","7",1,[{"name":"unit","value":"lx"}],true]]
			["delta",{"colour":"red"}]
			["disconnected",152]
			` + stopped,
	},
	{
		name:   "@aws-sdk/client-iot-jobs-data-plane",
		script: "iot-jobs-data-plane",
		job:    true,
		want: `["pending",[["JOB"],0]]
			["next",["JOB","QUEUED",{"operation":"install"}]]
			["started",["JOB","IN_PROGRESS",{"step":"download"}]]
			["unknown",["ResourceNotFoundException",404]]
			["updated","SUCCEEDED"]
			["ended",["InvalidStateTransitionException",409]]`,
	},
	{
		name:   "@aws-sdk/client-iot",
		script: "iot",
		want: `["endpoint","ENDPOINT"]
			["thing","arn:aws:iot:us-east-1:123456789012:thing/THING-2"]
			["things",{"colour":"red"}]
			["job","arn:aws:iot:us-east-1:123456789012:job/THING-job-2"]
			["described",["THING-job-2","IN_PROGRESS",["arn:aws:iot:us-east-1:123456789012:thing/THING-2"],1,true]]
			["jobs",true]
			["canceled","CANCELED"]
			["unknown",["ResourceNotFoundException",404]]
			["policy",["THING-policy","1","2012-10-17"]]
			["policy again",["ResourceAlreadyExistsException",409]]
			["attached",["THING-policy"]]
			["detached",[]]
			["missing",404]`,
	},
	{
		name:   "@aws-sdk/client-cognito-identity",
		script: "cognito",
		shadow: true,
		want: `["identity",true]
			["credentials",[true,true,true]]
			["unknown",["ResourceNotFoundException",400]]
			["guest",["ForbiddenException",403]]
			["no policy",["ForbiddenException",403]]
			["got",{"reported":{"client":"cognito","colour":"red"}}]`,
	},
}

// mqttjs returns what mqttjs.mjs must print.
func mqttjs(version string) string {
	return `["connected",[` + version + `,0]]
		["subscribed",[1,1,1,1,1]]
		["received","{\"hello\":\"THING\"}"]
		["updated",{"reported":{"client":"mqttjs","colour":"red"}}]
		["started",["JOB","IN_PROGRESS"]]
		` + stopped
}

func TestClients(t *testing.T) {
	s := start(t)
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, s)
		})
	}
}

// run runs the script and checks its lines, the shadow and the job.
func (c *client) run(t *testing.T, s *standIn) {
	arguments := strings.Fields(c.script)
	thing := strings.ReplaceAll(strings.Join(arguments, "-"), ".", "-")
	var job string
	if c.job {
		job = thing + "-job"
		s.createJob(t, thing, job)
	}

	endpoint := strings.TrimPrefix(s.URL, "https://")
	wanted := strings.NewReplacer("THING", thing, "JOB", job, "ENDPOINT", endpoint).Replace(c.want)
	got := s.script(t, arguments, thing, job)
	for i, want := range strings.Split(wanted, "\n") {
		want = strings.TrimSpace(want)
		if i >= len(got) {
			t.Fatalf("line %d is missing: %s", i+1, want)
		}
		if !sameJSON(t, got[i], want) {
			t.Errorf("line %d is %s, want %s", i+1, got[i], want)
		}
	}
	if c.shadow {
		want := document{"client": arguments[0], "colour": "red"}
		if reported := s.reported(t, thing); !reflect.DeepEqual(reported, want) {
			t.Errorf("the reported state of the shadow is %v, want %v", reported, want)
		}
	}
	if c.job {
		if n := s.succeeded(t, job); n != 1.0 {
			t.Errorf("%v things have carried out the job with success, want 1", n)
		}
	}
}

// script runs a script and returns the lines that it has printed. If the script fails, it logs the
// messages of the script and marks the test as failed.
func (s *standIn) script(t *testing.T, arguments []string, thing, job string) (lines []string) {
	t.Helper()
	program, file := "/usr/bin/python3", arguments[0]
	if filepath.Ext(file) != ".py" {
		var err error
		if program, err = harness.Node(22); err != nil {
			t.Fatal(err)
		}
		file += ".mjs"
	}
	settings, err := json.Marshal(struct {
		*standIn
		Path  string `json:"path"`
		Thing string `json:"thing"`
		Job   string `json:"job"`
	}{s, s.path(t), thing, job})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), scriptTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, append([]string{filepath.Join("clients", file)}, arguments[1:]...)...)
	cmd.Env = append(os.Environ(), "STAND_IN="+string(settings), "NODE_EXTRA_CA_CERTS="+s.CAFile, "HOME="+t.TempDir())
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Errorf("%s: %v\n%s%s", file, err, &stdout, &stderr)
	}
	return strings.Split(strings.TrimSpace(stdout.String()), "\n")
}

// sameJSON reports whether two texts are equal JSON values.
func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var left, right any
	if err := json.Unmarshal([]byte(b), &right); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return json.Unmarshal([]byte(a), &left) == nil && reflect.DeepEqual(left, right)
}
