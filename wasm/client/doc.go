// Package client implements the life of a connection to AWS IoT Core, or to any
// MQTT 5 broker behind a WebSocket: credentials, signature, socket, CONNECT,
// subscriptions, loss, back-off, and the next attempt.
//
// A [Client] does no I/O. The caller reports each event with its time, and the
// client asks its [Host] for a socket, for credentials, and for events on the page.
// A client has no goroutine, no lock and no clock, and must not be called by two
// goroutines at once.
package client
