// Package client implements a client of AWS IoT Core, or of any MQTT 5 broker that is
// reached by WebSocket. A [Client] obtains credentials, signs the URL, opens the socket,
// sends CONNECT, and restores the subscriptions. After the loss of a connection it waits
// (back-off), and tries again.
//
// A Client does no I/O. Its caller reports each event, with the time of the event. The
// client calls its [Host] to open sockets, to obtain credentials, and to report results
// and events to the page. A Client has no goroutine, no lock and no clock. Two
// goroutines must not call it at the same time.
//
// All times of type [time.Duration] are offsets on the caller's monotonic clock.
package client
