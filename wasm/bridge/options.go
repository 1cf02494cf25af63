package bridge

import (
	"math"
	"time"

	"iot.wasm/wasm/client"
	"iot.wasm/wasm/mqtt"
	"iot.wasm/wasm/secret"
	"iot.wasm/wasm/sigv4"
)

// credentials converts AWS credentials. The member expiration is in ms since 1970.
func credentials(v Value) *sigv4.Credentials {
	c := &sigv4.Credentials{
		AccessKeyID:     str(v, "accessKeyId"),
		SecretAccessKey: secret.String(str(v, "secretAccessKey")),
		SessionToken:    secret.String(str(v, "sessionToken")),
	}
	if ms, ok := v.Number("expiration"); ok {
		c.Expiration = time.UnixMilli(int64(ms))
	}
	return c
}

// connectOptions converts the options of connect(). The members url and credentials are
// true if the page has passed that option. The member fresh is true if the option is a
// function.
func connectOptions(v Value) *client.Options {
	o := client.DefaultOptions()
	o.Endpoint, o.Region = str(v, "endpoint"), str(v, "region")
	switch url, signed := isTrue(v, "url"), isTrue(v, "credentials"); {
	case url && signed:
		o.Source = client.FromBoth
	case url:
		o.Source = client.FromURL
	case signed:
		o.Source = client.FromCredentials
	}
	o.Fresh = isTrue(v, "fresh")
	o.ClientID = str(v, "clientId")
	switch str(v, "quotas") {
	case "aws":
		o.Quotas = client.AWSQuotas
	case "none":
		o.Quotas = client.NoQuotas
	}
	if a, ok := v.Object("authorizer"); ok {
		o.Authorizer = client.Authorizer(str(a, "name"), str(a, "tokenKeyName"), str(a, "token"), str(a, "tokenSignature"))
	}
	if name, ok := v.Text("username"); ok {
		o.Username = &name
	}
	o.Password = secret.String(v.Bytes("password"))
	setInt(&o.KeepAlive, v, "keepAlive")
	if n, ok := v.Number("sessionExpiry"); ok {
		o.SessionExpiry = int64(max(math.MinInt32, min(n, math.MaxUint32+1)))
	}
	if clean, ok := v.Flag("cleanStart"); ok {
		o.CleanStart = clean
	}
	setDuration(&o.AckTimeout, v, "ackTimeoutMs")
	setDuration(&o.UnclaimedTimeout, v, "unclaimedTimeoutMs")
	o.User = v.Pairs("userProperties")
	if w, ok := v.Object("will"); ok {
		o.Will = will(w)
	}
	if on, ok := v.Flag("reconnect"); ok {
		o.Reconnect = on
	}
	if r, ok := v.Object("reconnect"); ok {
		setDuration(&o.MinDelay, r, "minDelayMs")
		setDuration(&o.MaxDelay, r, "maxDelayMs")
		setDuration(&o.StableAfter, r, "stableAfterMs")
		setInt(&o.MaxAttempts, r, "maxAttempts")
	}
	if f, ok := v.Object("offline"); ok {
		setInt(&o.OfflineMessages, f, "maxMessages")
		setInt(&o.OfflineBytes, f, "maxBytes")
		o.OfflineDropOldest = str(f, "overflow") == "drop-oldest"
		switch str(f, "qos0") {
		case "queue":
			o.OfflineQoS0 = client.QueueQoS0
		case "drop":
			o.OfflineQoS0 = client.DropQoS0
		}
	}
	return &o
}

// will converts the option will of connect().
func will(v Value) *mqtt.Will {
	w := client.DefaultWill()
	w.Topic, w.Payload = str(v, "topic"), v.Bytes("payload")
	if n, ok := v.Number("qos"); ok {
		w.QoS = toByte(n)
	}
	w.Retain = isTrue(v, "retain")
	setUint32(&w.Delay, v, "delay", "will.delay")
	w.PayloadFormatUTF8 = isTrue(v, "utf8")
	var expiry uint32
	if setUint32(&expiry, v, "messageExpiry", "will.messageExpiry") {
		w.MessageExpiry = &expiry
	}
	w.ContentType, w.ResponseTopic = str(v, "contentType"), str(v, "responseTopic")
	w.CorrelationData = v.Bytes("correlationData")
	w.User = v.Pairs("userProperties")
	return &w
}
