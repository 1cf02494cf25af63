package console

import (
	"bufio"
	"encoding/binary"
	"flag"
	"fmt"
	"net"
	"testing"
	"time"

	"iot.wasm/test/harness"
)

var measure = flag.Bool("measure", false, "measure the frames of the page; the machine should have nothing else to do")

// skipUnlessMeasuring skips a test that measures. The figures go to the log: a duration never decides a test.
func skipUnlessMeasuring(t *testing.T) {
	t.Helper()
	if !*measure {
		t.Skip("the flag -measure is not set")
	}
}

// A publisher is another client than the page. It publishes messages with QoS 0.
type publisher struct {
	t    *testing.T
	conn net.Conn
}

// newPublisher connects a publisher, and disconnects it at the end of the test.
func newPublisher(t *testing.T, s *harness.Server) *publisher {
	t.Helper()
	settings := s.Settings()
	conn, err := settings.Dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	connect := append([]byte("\x00\x04MQTT\x05\x02\x02\x58\x00"), field("console-publisher")...) // Clean Start, keep-alive 600 s
	if _, err := conn.Write(packet(0x10, connect)); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	answer := make([]byte, 4) // the beginning of CONNACK: type, length, flags, reason code
	for i := range answer {
		if answer[i], err = reader.ReadByte(); err != nil {
			t.Fatal(err)
		}
	}
	if answer[0] != 0x20 || answer[3] != 0 {
		t.Fatalf("CONNACK begins with % x", answer)
	}
	// The broker sends nothing else that matters. Reading keeps its buffers empty.
	go func() { _, _ = reader.WriteTo(discard{}) }()
	return &publisher{t, conn}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// field encodes a string or binary data.
func field(s string) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...) }

// packet encodes an MQTT packet.
func packet(first byte, body []byte) []byte {
	return append(binary.AppendUvarint([]byte{first}, uint64(len(body))), body...) // has the encoding of a Variable Byte Integer
}

// publish publishes count messages, rate messages a second. message returns the topic and the payload of a message.
func (p *publisher) publish(count, rate int, message func(i int) (topic, payload string)) {
	p.t.Helper()
	begin := time.Now()
	for i := 0; i < count; {
		due := min(count, int(time.Since(begin).Seconds()*float64(rate))+1)
		var packets []byte
		for ; i < due; i++ {
			topic, payload := message(i)
			packets = append(packets, packet(0x30, append(append(field(topic), 0), payload...))...)
		}
		if _, err := p.conn.Write(packets); err != nil {
			p.t.Fatal(err)
		}
		time.Sleep(2 * time.Millisecond) // the interval of the bursts: a broker also sends several messages at once
	}
}

// telemetry returns the messages of 100 sensors.
func telemetry(i int) (topic, payload string) {
	return fmt.Sprintf("site/%d/sensor/%d", i/10%10, i%10), fmt.Sprintf(`{"n": %d, "temperature": %.2f, "unit": "°C", "on": %t}`, i, 20+float64(i%700)/100, i%2 == 0)
}
