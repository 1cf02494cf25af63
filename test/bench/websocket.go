package main

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
)

// The opcodes of RFC 6455 that the lean peer uses.
const (
	opBinary = 0x2
	opClose  = 0x8
	opPing   = 0x9
	opPong   = 0xA
)

// upgrade answers the opening handshake. It returns the connection, and a reader of the
// bytes that the client has sent. It refuses compression and selects the first requested
// subprotocol.
func upgrade(w http.ResponseWriter, r *http.Request) (net.Conn, io.Reader, error) {
	key := r.Header.Get("Sec-WebSocket-Key")
	if key == "" || !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		http.Error(w, "this address needs a WebSocket", http.StatusUpgradeRequired)
		return nil, nil, errors.New("no WebSocket handshake")
	}
	c, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, nil, err
	}
	accept := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	answer := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: " + base64.StdEncoding.EncodeToString(accept[:]) + "\r\n"
	if protocol, _, _ := strings.Cut(r.Header.Get("Sec-WebSocket-Protocol"), ","); protocol != "" {
		answer += "Sec-WebSocket-Protocol: " + strings.TrimSpace(protocol) + "\r\n"
	}
	if _, err := io.WriteString(c, answer+"\r\n"); err != nil {
		c.Close()
		return nil, nil, err
	}
	return c, buffered, nil
}

// appendFrame appends a complete frame without a mask, as servers send it.
func appendFrame(to []byte, opcode byte, payload []byte) []byte {
	return append(appendFrameHeader(to, opcode, len(payload)), payload...)
}

func appendFrameHeader(to []byte, opcode byte, n int) []byte {
	to = append(to, 0x80|opcode)
	switch {
	case n < 126:
		return append(to, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(to, 126), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(to, 127), uint64(n))
	}
}

// An unframer decodes the bytes of a client and returns the unmasked bytes of its messages.
// It does not return the boundaries of the frames, because MQTT ignores them.
type unframer struct {
	header []byte // an incomplete header of a frame
	opcode byte
	mask   [4]byte
	left   uint64 // the number of missing bytes of the frame's payload
	at     int    // position in the mask
}

// next decodes a part of b. It returns bytes of a frame's payload, the frame's opcode and
// the remaining bytes of b.
func (u *unframer) next(b []byte) (payload []byte, opcode byte, rest []byte) {
	for u.left == 0 && len(b) > 0 {
		u.header = append(u.header, b[0])
		b = b[1:]
		if u.begin() {
			break
		}
	}
	n := min(u.left, uint64(len(b)))
	payload, rest = b[:n], b[n:]
	u.unmask(payload)
	u.left -= n
	return payload, u.opcode, rest
}

// begin decodes the header. It returns false while the header is incomplete.
func (u *unframer) begin() bool {
	h := u.header
	if len(h) < 2 {
		return false
	}
	size := 2 + 4
	switch h[1] & 0x7f {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if len(h) < size {
		return false
	}
	switch size {
	case 6:
		u.left = uint64(h[1] & 0x7f)
	case 8:
		u.left = uint64(binary.BigEndian.Uint16(h[2:]))
	default:
		u.left = binary.BigEndian.Uint64(h[2:])
	}
	if op := h[0] & 0xf; op != 0 {
		u.opcode = op
	}
	copy(u.mask[:], h[size-4:])
	u.at = 0
	u.header = h[:0]
	return true
}

func (u *unframer) unmask(b []byte) {
	var key [8]byte
	for i := range key {
		key[i] = u.mask[(u.at+i)&3]
	}
	u.at = (u.at + len(b)) & 3
	word := binary.LittleEndian.Uint64(key[:])
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^word)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= key[i]
	}
}
