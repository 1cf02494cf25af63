// Package client is the life of a connection to AWS IoT Core, or to any MQTT 5
// broker behind a WebSocket: credentials, signature, socket, CONNECT,
// subscriptions, loss, back-off, and all of it again.
//
// Like the engine below it, a [Client] does nothing by itself. Its methods are
// told what happened and at what time, and it asks its [Host] for what it needs
// done: a socket, credentials, an event for the page. It has no goroutine, no
// lock and no clock, and must not be called by two goroutines at once.
package client
