package localiot

import (
	"strings"
	"testing"
	"time"

	"iot.wasm/internal/localiot/mqtttest"

	"github.com/eclipse/paho.golang/packets"
)

// The log has one line for each step, and contains no payload, no query and no secret.
func TestInsight(t *testing.T) {
	s := start(t, Options{Faults: true})
	k := s.cognitoKeys("{}")
	guest := s.dial(s.signWith(k, time.Now()))
	guest.MustConnect("guest", nil)
	guest.Send(&packets.Subscribe{PacketID: 1, Subscriptions: []packets.SubOptions{{Topic: "private", QoS: 1}}})
	mqtttest.Receive[*packets.Suback](guest)
	c, _ := s.connect("lamp", nil)
	c.Subscribe(1, "room/1", 1)
	c.Subscribe(2, "$aws/things/lamp/shadow/update/+", 1)
	c.Publish(3, "room/1", "payload-text")
	c.Publish(4, "$aws/things/lamp/shadow/update", `{"state":{"desired":{"payload-text":1}}}`)
	c.Publish(5, "$aws/things/lamp/shadow/update", `payload-text`)
	for rejected := false; !rejected; {
		p, err := c.Next()
		if err != nil {
			t.Fatal(err)
		}
		m, isPublish := p.Content.(*packets.Publish)
		rejected = isPublish && strings.HasSuffix(m.Topic, "/rejected")
		if isPublish && m.QoS == 1 {
			c.Send(&packets.Puback{PacketID: m.PacketID})
		}
	}
	c.Publish(0, "$aws/things/lamp/jobs/get", "{}")
	mqtttest.Receive[*packets.Publish](c)
	s.call("iotdata", "POST", "/topics/room%2F2?contentType=payload-text", "payload-text")
	s.call("iotdata", "GET", "/things/none/shadow", "")
	s.call("iot", "POST", "/topics/room", "")
	s.control(`{"clockSkew":1}`, 0)
	u := sign(t, s.local(), time.Now(), 0)
	u.Scheme = "http"
	signature := u.Query().Get("X-Amz-Signature")
	for _, target := range []string{u.String(), u.String() + "0"} {
		get(t, target, nil)
	}
	get(t, s.url+"/local.json", map[string]string{"Host": "evil.example"})
	get(t, s.url+"/local.json", map[string]string{"Origin": "http://evil.example"})
	if err := s.Close(); err != nil {
		t.Error(err)
	}

	log := s.log.String()
	for _, want := range [][]string{
		{"msg=connect client=lamp", "address=127.0.0.1"},
		{"msg=disconnect client=lamp", "reason="},
		{"msg=subscribe client=lamp filter=room/1", "qos=1"},
		{"msg=publish client=lamp topic=room/1 bytes=12 qos=1"},
		{"msg=publish", "topic=room/2 bytes=12 qos=0"},
		{"msg=shadow client=lamp operation=update thing=lamp", "error=0"},
		{"msg=shadow client=lamp operation=update thing=lamp", "error=400"},
		{"msg=job client=lamp topic=$aws/things/lamp/jobs/get"},
		{"msg=http operation=Publish path=/topics/room/2"},
		{"msg=refused check=ResourceNotFoundException status=404 operation=GetThingShadow"},
		{"msg=refused check=service status=403"},
		{"msg=refused client=guest", "check=policy", "private"},
		{"msg=refused address=127.0.0.1 check=signature status=403", "path=/mqtt"},
		{"msg=refused address=127.0.0.1 check=upgrade status=426"},
		{"msg=refused", "check=host status=403", "host=evil.example"},
		{"msg=refused", "check=origin status=403", "origin=http://evil.example"},
		{"msg=cognito operation=GetId"},
		{"msg=cognito operation=GetCredentialsForIdentity"},
		{"msg=fault connections=0"},
	} {
		found := false
		for line := range strings.SplitSeq(log, "\n") {
			all := strings.Contains(line, "level=INFO")
			for _, part := range want {
				all = all && strings.Contains(line, part)
			}
			found = found || all
		}
		if !found {
			t.Errorf("no line contains %q", want)
		}
	}
	for _, secret := range []string{"payload-text", signature, "X-Amz-", s.key.Secret, k.SecretKey, k.SessionToken, k.SessionToken[:40]} {
		if strings.Contains(log, secret) {
			t.Errorf("the log contains %q", secret)
		}
	}
	if t.Failed() {
		t.Log(log)
	}
}
