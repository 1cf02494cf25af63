// Package mqtt is an MQTT 5.0 client without input, output or a clock.
//
// An [Engine] is told what happened (bytes arrived, time passed, the page wants
// to publish) and says what is to be done (bytes to send, events for its
// [Handler], the next moment it wants to be woken). It starts no goroutine and
// holds no lock, so that a page's single thread can call it directly and a test
// can drive years of a connection's life in milliseconds.
//
// PUBLISH and its acknowledgements are encoded and decoded here, on views of the
// caller's bytes. Every other control packet goes through
// github.com/eclipse/paho.golang/packets, which is only ever given one whole
// packet whose length, flags and properties have been checked first.
//
// Clause numbers such as [MQTT-3.3.2-8] are those of the OASIS standard
// "MQTT Version 5.0", https://docs.oasis-open.org/mqtt/mqtt/v5.0/mqtt-v5.0.html.
package mqtt
