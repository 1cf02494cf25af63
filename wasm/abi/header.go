package abi

import "unsafe"

// Header is the block of memory that JavaScript reads after each call. Its address
// never changes.
type Header struct {
	Deadline      float64 // when iot_turn is due, in ms of performance.now(); +Inf: never
	OutputAddress uint32  // bytes that may be sent now, set by iot_turn and iot_flushed
	OutputLength  uint32
	TableAddress  uint32 // the records
	TableLength   uint32 // in words
	CrashAddress  uint32 // the text of a panic
	CrashLength   uint32 // more than 0: the wasm must not be called again
	Pending       uint32 // one of the Pending constants
	TopicAddress  uint32 // where JavaScript writes the topic of a publish
}

// Values of Header.Pending.
const (
	PendingNothing = iota // there is nothing to send
	PendingReady          // iot_turn has something to send
	PendingBlocked        // there is something to send, and the socket has no room for it
)

// HeaderWords is the length of a Header in words.
const HeaderWords = uint32(unsafe.Sizeof(Header{}) / 4)

// Sent is what iot_publish returns for a message of QoS 0 that is part of the
// output of this turn: its token is not settled. The call wrote no header and no
// record. After any other result, 0, the header and the table are valid.
const Sent = 1

// TopicSize is the size of the memory for the topic of a publish, in bytes. It is also
// the length that stands for every topic that is longer than MQTT allows: 65,535
// bytes (section 1.5.4).
const TopicSize = 1 << 16

// MaxInput is the most bytes that one call may bring: MQTT's largest packet
// (section 2.1.4).
const MaxInput = 268_435_455

// Address returns the address of the first byte of s. On a machine with 64-bit
// addresses, which only tests are run on, the upper half is lost.
func Address[T any](s []T) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(s)))) }

// TextAddress returns the address of the first byte of s.
func TextAddress(s string) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.StringData(s)))) }
