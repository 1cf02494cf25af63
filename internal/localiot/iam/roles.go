package iam

import (
	"fmt"
	"os"
)

// Everything returns a document that allows everything.
func Everything() *Document {
	return mustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iot:*","iotjobsdata:*"],"Resource":"*"}]}`)
}

// Guest returns the policy of the IAM role for unauthenticated Cognito identities. It allows any client
// id, the topic hello, all topics below public/, to get and update the shadows that the pages in www/demos use (the
// classic shadow of the thing demo-lamp, and the shadows fleet-… of the things truck-…), to do the jobs of things
// whose names begin with demo-device-, and to receive the events of connected clients.
func Guest(region string) *Document {
	arn := "arn:aws:iot:" + region + ":" + Account + ":"
	return mustParse(fmt.Sprintf(`{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": "iot:Connect", "Resource": "%[1]sclient/*"},
    {
      "Effect": "Allow",
      "Action": ["iot:Publish", "iot:RetainPublish", "iot:Receive"],
      "Resource": ["%[1]stopic/hello", "%[1]stopic/public/*"]
    },
    {
      "Effect": "Allow",
      "Action": "iot:Subscribe",
      "Resource": ["%[1]stopicfilter/hello", "%[1]stopicfilter/public/*"]
    },
    {
      "Effect": "Allow",
      "Action": "iot:Publish",
      "Resource": ["%[1]stopic/$aws/things/demo-lamp/shadow/get", "%[1]stopic/$aws/things/demo-lamp/shadow/update"]
    },
    {
      "Effect": "Allow",
      "Action": "iot:Receive",
      "Resource": ["%[1]stopic/$aws/things/demo-lamp/shadow/get/*", "%[1]stopic/$aws/things/demo-lamp/shadow/update/*", "%[1]stopic/$aws/things/demo-lamp/shadow/delete/accepted"]
    },
    {
      "Effect": "Allow",
      "Action": "iot:Subscribe",
      "Resource": ["%[1]stopicfilter/$aws/things/demo-lamp/shadow/get/*", "%[1]stopicfilter/$aws/things/demo-lamp/shadow/update/*", "%[1]stopicfilter/$aws/things/demo-lamp/shadow/delete/accepted"]
    },
    {
      "Effect": "Allow",
      "Action": "iot:Publish",
      "Resource": ["%[1]stopic/$aws/things/truck-*/shadow/name/fleet-*/get", "%[1]stopic/$aws/things/truck-*/shadow/name/fleet-*/update", "%[1]stopic/$aws/things/demo-device-*/jobs/*/get", "%[1]stopic/$aws/things/demo-device-*/jobs/*/update"]
    },
    {
      "Effect": "Allow",
      "Action": "iot:Receive",
      "Resource": ["%[1]stopic/$aws/things/truck-*/shadow/name/fleet-*/get/accepted", "%[1]stopic/$aws/things/truck-*/shadow/name/fleet-*/update/*", "%[1]stopic/$aws/things/demo-device-*/jobs/*", "%[1]stopic/$aws/events/presence/*"]
    },
    {
      "Effect": "Allow",
      "Action": "iot:Subscribe",
      "Resource": ["%[1]stopicfilter/$aws/things/+/shadow/name/fleet-*/get/accepted", "%[1]stopicfilter/$aws/things/+/shadow/name/fleet-*/update/*", "%[1]stopicfilter/$aws/things/demo-device-*/jobs/*", "%[1]stopicfilter/$aws/events/presence/*"]
    }
  ]
}`, arn))
}

// ReadFile parses the policy document of an IAM role in a file.
func ReadFile(name string) (*Document, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	d, err := parse(string(text), maxRoleDocument)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return d, nil
}

func mustParse(text string) *Document {
	d, err := parse(text, maxRoleDocument)
	if err != nil {
		panic(err)
	}
	return d
}
