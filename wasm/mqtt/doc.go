// Package mqtt implements an MQTT 5.0 client without I/O and without a clock.
//
// The caller passes received bytes, the time and requests to an [Engine]. The
// engine returns the bytes to send, calls its [Handler] for events, and reports
// the time of its next timer. It starts no goroutines and holds no locks: a page
// calls it on its only thread, and a test simulates years of connections within
// milliseconds.
//
// This package encodes and decodes PUBLISH, its acknowledgements, PINGREQ, PINGRESP
// and DISCONNECT itself, without copying payloads. For all other control packets it
// uses github.com/eclipse/paho.golang/packets. Before it passes a packet to paho, it
// checks the packet's length, flags and properties.
//
// Clause numbers such as [MQTT-3.3.2-8] and section numbers refer to the OASIS
// standard "MQTT Version 5.0",
// https://docs.oasis-open.org/mqtt/mqtt/v5.0/mqtt-v5.0.html.
package mqtt
