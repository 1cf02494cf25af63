package abi

import "unsafe"

// Header is the block of memory that JavaScript reads after a call. It describes the
// client of that call. The address of the header never changes.
type Header struct {
	// Deadline is the time at which JavaScript must call iot_turn for the client, in
	// ms of performance.now(). +Inf means never.
	Deadline float64
	// OutputAddress and OutputLength locate the bytes that JavaScript may pass to the
	// socket now. Only iot_turn and iot_flushed set them.
	OutputAddress, OutputLength uint32
	// TableAddress and TableLength locate the records. TableLength is in words.
	TableAddress, TableLength uint32
	// CrashAddress and CrashLength locate the text of a panic. If CrashLength is not 0,
	// JavaScript must not call the wasm again.
	CrashAddress, CrashLength uint32
	// Pending is one of the Pending constants.
	Pending uint32
	// TopicAddress is the address of MaxTopic bytes. JavaScript writes the topic of a
	// publish there.
	TopicAddress uint32
	// Part is the maximum number of bytes that JavaScript passes to the next call of
	// iot_receive. It is never 0.
	Part uint32
	_    uint32 // the size is a multiple of 8
}

// Values of Header.Pending.
const (
	PendingNothing = iota // there are no bytes to send
	PendingReady          // JavaScript must call iot_turn, as there may be bytes to send
	PendingBlocked        // there are bytes to send, but too many bytes wait in the socket
)

// HeaderWords is the length of a Header in words.
const HeaderWords = uint32(unsafe.Sizeof(Header{}) / 4)

// Results of iot_publish for a QoS 0 message that the client has appended to the output. In
// this case, no record settles the token, and JavaScript must not read the table. After the
// result 0, it reads the header and the table.
const (
	Sent     = 1 // JavaScript must not read the header either
	SentFull = 2 // JavaScript must send the output in the header, before any other call
)

// TopicSize is the size of the memory for the topic of a publish, in bytes. JavaScript
// passes this length for every topic that is longer than MQTT allows: 65,535 bytes
// (section 1.5.4).
const TopicSize = 1 << 16

// MaxInput is the largest payload that JavaScript accepts, in bytes. It equals the
// largest Remaining Length of a packet (section 2.1.4).
const MaxInput = 268_435_455

// Address returns the address of the first byte of s. In native tests, whose
// addresses have 64 bits, it returns the lower half.
func Address[T any](s []T) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(s)))) }

// TextAddress returns the address of the first byte of s.
func TextAddress(s string) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.StringData(s)))) }
