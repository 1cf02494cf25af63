package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"iot.wasm/test/harness"
)

// TestDocumentedGuestPolicy runs the page of docs/aws.md against the stand-in, with the policy of
// docs/aws for guests. Each refusal has the error code that docs/aws.md states.
func TestDocumentedGuestPolicy(t *testing.T) {
	document, err := os.ReadFile(filepath.Join(harness.Root, "docs/aws/guest-role-policy.json"))
	if err != nil {
		t.Fatal(err)
	}
	// The stand-in has the region us-east-1.
	file := filepath.Join(t.TempDir(), "policy.json")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(document), "eu-west-1", "us-east-1")), 0o600); err != nil {
		t.Fatal(err)
	}
	b := openGuest(t, harness.Serve(t, "-policy", file))
	b.Eval(`globalThis.got = []; const credentials = cognito(pool);
		await iot.connect({ ...at, credentials, will: { topic: "room/1", payload: "gone" } });
		await iot.subscribe("room/#", (m) => got.push(m.text()));
		await iot.publish("room/1", "hello", { qos: 1 })`, nil)
	b.Until(`got.join() === "hello"`)
	b.Fails(`iot.publish("rooms/1", "x", { qos: 1 })`, "IotError", "ERR_PUBLISH_REFUSED", "iot:Publish")
	b.Fails(`iot.publish("room/1", "x", { qos: 1, retain: true })`, "IotError", "ERR_PUBLISH_REFUSED", "iot:RetainPublish")
	b.Fails(`iot.subscribe("#")`, "IotError", "ERR_SUBSCRIBE_REFUSED", "iot:Subscribe")
	b.Fails(`new IotClient().connect({ ...at, credentials, clientId: "page", reconnect: false })`, "IotError", "ERR_NOT_AUTHORIZED", "iot:Connect")
	b.Is(`iot.state`, `"connected"`)
}
