package places

import (
	"bytes"
	"encoding/hex"

	"github.com/eclipse/paho.golang/packets"
)

// An encodedPacket is a packet of paho's encoder for the tests of packets.js. Want contains
// members of the decoded packet, which suite/decode.js compares. Its member properties maps
// names to values.
type encodedPacket struct {
	Hex  string         `json:"hex"`
	Want map[string]any `json:"want"`
}

// encodedPackets returns packets of all types.
func encodedPackets() (list []encodedPacket) {
	user := []packets.User{{Key: "k", Value: "v"}}
	add := func(kind byte, content packets.Packet, want map[string]any) {
		p := packets.NewControlPacket(kind)
		p.Content = content
		if kind == packets.AUTH {
			p.Flags = 0 // paho sets a reserved flag [MQTT-2.1.3-1]
		}
		var b bytes.Buffer
		if _, err := p.WriteTo(&b); err != nil {
			panic(err)
		}
		want["type"], want["size"] = p.PacketType(), b.Len()
		list = append(list, encodedPacket{hex.EncodeToString(b.Bytes()), want})
	}
	reason := func(code int, name, section string) map[string]any {
		return map[string]any{"code": code, "name": name, "section": section}
	}
	add(packets.CONNECT, &packets.Connect{
		ProtocolName: "MQTT", ProtocolVersion: 5, ClientID: "client", KeepAlive: 60, CleanStart: true,
		UsernameFlag: true, Username: "user", PasswordFlag: true, Password: []byte("password"),
		WillFlag: true, WillQOS: 1, WillRetain: true, WillTopic: "will", WillMessage: []byte("gone"), WillProperties: &packets.Properties{ContentType: "text/plain"},
		Properties: &packets.Properties{SessionExpiryInterval: new(uint32(100)), ReceiveMaximum: new(uint16(10)), AuthMethod: "method", AuthData: []byte{1, 2}, User: user},
	}, map[string]any{
		"protocolName": "MQTT", "protocolVersion": 5, "clientId": "client", "keepAlive": 60, "cleanStart": true, "username": "user",
		"properties": map[string]any{"Session Expiry Interval": 100, "Receive Maximum": 10, "Authentication Method": "method", "User Property": []string{"k", "v"}},
	})
	add(packets.CONNACK, &packets.Connack{SessionPresent: true, ReasonCode: 0x87, Properties: &packets.Properties{
		AssignedClientID: "id", ServerKeepAlive: new(uint16(30)), MaximumQOS: new(byte(1)), MaximumPacketSize: new(uint32(1000)), TopicAliasMaximum: new(uint16(5)),
		RetainAvailable: new(byte(0)), WildcardSubAvailable: new(byte(1)), SubIDAvailable: new(byte(0)), SharedSubAvailable: new(byte(1)), ResponseInfo: "r", ServerReference: "s", ReasonString: "no",
	}}, map[string]any{"sessionPresent": true, "reason": reason(0x87, "not authorized", "3.2.2.2"), "properties": map[string]any{
		"Assigned Client Identifier": "id", "Server Keep Alive": 30, "Maximum QoS": 1, "Maximum Packet Size": 1000, "Topic Alias Maximum": 5, "Retain Available": 0,
		"Wildcard Subscription Available": 1, "Subscription Identifier Available": 0, "Shared Subscription Available": 1, "Response Information": "r", "Server Reference": "s", "Reason String": "no",
	}})
	add(packets.PUBLISH, &packets.Publish{Topic: "a/ü", QoS: 2, PacketID: 0xabcd, Retain: true, Duplicate: true, Payload: []byte("payload"), Properties: &packets.Properties{
		PayloadFormat: new(byte(1)), MessageExpiry: new(uint32(9)), ContentType: "c", ResponseTopic: "r", SubscriptionIdentifier: new(300), TopicAlias: new(uint16(7)), User: user,
	}}, map[string]any{"topic": "a/ü", "qos": 2, "packetId": 0xabcd, "retain": true, "duplicate": true, "properties": map[string]any{
		"Payload Format Indicator": 1, "Message Expiry Interval": 9, "Content Type": "c", "Response Topic": "r", "Subscription Identifier": 300, "Topic Alias": 7, "User Property": []string{"k", "v"},
	}})
	none := &packets.Properties{}
	properties := map[string]any{"Reason String": "why"}
	why := &packets.Properties{ReasonString: "why"}
	add(packets.PUBACK, &packets.Puback{PacketID: 1, ReasonCode: 0x10, Properties: why}, map[string]any{"packetId": 1, "reason": reason(0x10, "no matching subscribers", "3.4.2.1"), "properties": properties})
	add(packets.PUBREC, &packets.Pubrec{PacketID: 2, ReasonCode: 0x97, Properties: none}, map[string]any{"packetId": 2, "reason": reason(0x97, "quota exceeded", "3.5.2.1")})
	add(packets.PUBREL, &packets.Pubrel{PacketID: 3, ReasonCode: 0x92, Properties: none}, map[string]any{"packetId": 3, "flags": 2, "reason": reason(0x92, "packet identifier not found", "3.6.2.1")})
	add(packets.PUBCOMP, &packets.Pubcomp{PacketID: 4, Properties: none}, map[string]any{"packetId": 4, "reason": reason(0, "success", "3.7.2.1")})
	add(packets.SUBSCRIBE, &packets.Subscribe{PacketID: 5, Properties: &packets.Properties{SubscriptionIdentifier: new(1)}, Subscriptions: []packets.SubOptions{
		{Topic: "a/#", QoS: 1, NoLocal: true, RetainHandling: 2}, {Topic: "b", RetainAsPublished: true},
	}}, map[string]any{"packetId": 5, "filters": []map[string]any{
		{"filter": "a/#", "qos": 1, "noLocal": true, "retainAsPublished": false, "retainHandling": 2}, {"filter": "b", "qos": 0, "noLocal": false, "retainAsPublished": true, "retainHandling": 0},
	}})
	add(packets.SUBACK, &packets.Suback{PacketID: 5, Reasons: []byte{0, 0x9e}, Properties: why}, map[string]any{"packetId": 5, "properties": properties,
		"reasons": []any{reason(0, "granted QoS 0", "3.9.3"), reason(0x9e, "shared subscriptions not supported", "3.9.3")}})
	add(packets.UNSUBSCRIBE, &packets.Unsubscribe{PacketID: 6, Topics: []string{"a/#", "b"}, Properties: none}, map[string]any{"packetId": 6, "filters": []map[string]any{{"filter": "a/#"}, {"filter": "b"}}})
	add(packets.UNSUBACK, &packets.Unsuback{PacketID: 6, Reasons: []byte{0, 0x11}, Properties: none}, map[string]any{"packetId": 6,
		"reasons": []any{reason(0, "success", "3.11.3"), reason(0x11, "no subscription existed", "3.11.3")}})
	add(packets.PINGREQ, &packets.Pingreq{}, map[string]any{"section": "3.12"})
	add(packets.PINGRESP, &packets.Pingresp{}, map[string]any{"section": "3.13"})
	add(packets.DISCONNECT, &packets.Disconnect{ReasonCode: 0x8e, Properties: why}, map[string]any{"reason": reason(0x8e, "session taken over", "3.14.2.1"), "properties": properties})
	add(packets.AUTH, &packets.Auth{ReasonCode: 0x18, Properties: &packets.Properties{AuthMethod: "method", ReasonString: "why"}}, map[string]any{
		"reason": reason(0x18, "continue authentication", "3.15.2.1"), "properties": map[string]any{"Authentication Method": "method", "Reason String": "why"}})
	return list
}
