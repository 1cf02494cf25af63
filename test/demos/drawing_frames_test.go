package demos

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"sync"
	"testing"
	"time"

	"iot.wasm/test/harness"
)

// A piece of a stroke, as in the messages of the demo.
type piece struct {
	ID     string `json:"id"`
	At     int64  `json:"at"`
	Stroke int64  `json:"stroke"`
	N      int    `json:"n"`
	Color  string `json:"color"`
	Points []int  `json:"points"`
}

// A robot is a simulated person who draws. It publishes the same messages as the demo, without a browser.
type robot struct {
	id   string
	n    int
	conn net.Conn
	sent uint16
	page []piece
}

// Each stroke of a robot has 8 pieces with 10 new points each, and takes a second at the speed of a person.
const (
	robots         = 10
	piecesOfStroke = 8
	pointsOfPiece  = 10
	pieceInterval  = 125 * time.Millisecond
)

// newRobot connects a robot. It reads the acknowledgements, and ignores them.
func newRobot(t *testing.T, settings *harness.Settings, n int) *robot {
	t.Helper()
	conn, err := settings.Dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	r := &robot{id: fmt.Sprint("robot", n), n: n, conn: conn}
	body := append([]byte("\x00\x04MQTT\x05\x02\x02\x58\x00"), field(r.id)...) // Clean Start, keep-alive 600 s
	if err := r.write(0x10, body); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, conn) }()
	return r
}

// field encodes a string of MQTT.
func field(s string) []byte { return append([]byte{0, byte(len(s))}, s...) }

func (r *robot) write(first byte, body []byte) error {
	_, err := r.conn.Write(append(binary.AppendUvarint([]byte{first}, uint64(len(body))), body...))
	return err
}

// publish publishes a message with QoS 1.
func (r *robot) publish(topic string, retain bool, value any) error {
	payload, err := json.Marshal(value)
	if err != nil {
		return err
	}
	first := byte(0x32)
	if retain {
		first |= 1
	}
	r.sent++
	body := append(binary.BigEndian.AppendUint16(field(topic), r.sent), 0) // no properties
	return r.write(first, append(body, payload...))
}

// draw draws strokes in the band of the robot. It removes every fifth stroke after it has drawn it.
func (r *robot) draw(strokes int, interval time.Duration) error {
	color := fmt.Sprintf("#%02x40%02x", 25*r.n, 250-25*r.n)
	number := time.Now().UnixMilli()
	for s := range strokes {
		number++
		stroke, point := number, []int{100 + 20*(s%20), 50 + 100*r.n, 8}
		for i := range piecesOfStroke {
			number++
			p := piece{r.id, number, stroke, r.n, color, append([]int{}, point...)}
			for j := range pointsOfPiece {
				angle := float64(i*pointsOfPiece+j) / 5
				point = []int{100 + 20*(s%20) + 12*(i*pointsOfPiece+j), 50 + 100*r.n + int(30*math.Sin(angle)), 8}
				p.Points = append(p.Points, point...)
			}
			message := map[string]any{"name": r.id, "color": color, "position": point, "piece": p}
			if err := r.publish("public/drawing/live/"+r.id, false, message); err != nil {
				return err
			}
			r.page = append(r.page, p)
			time.Sleep(interval)
		}
		if err := r.save(); err != nil {
			return err
		}
		if s%5 == 4 {
			r.page = r.page[:len(r.page)-piecesOfStroke]
			if err := r.save(); err != nil {
				return err
			}
		}
	}
	return nil
}

// save publishes the page of the robot.
func (r *robot) save() error {
	return r.publish(fmt.Sprint("public/drawing/pages/", r.n), true, map[string]any{"id": r.id, "pieces": r.page})
}

// start makes ten robots draw. The returned function waits until all have finished.
func start(t *testing.T, s *harness.Server, strokes int, interval time.Duration) (wait func()) {
	t.Helper()
	settings := s.Settings()
	var all sync.WaitGroup
	for n := range robots {
		r := newRobot(t, &settings, n)
		all.Go(func() {
			time.Sleep(time.Duration(n) * interval * piecesOfStroke / robots) // their strokes end at different times
			if err := r.draw(strokes, interval); err != nil {
				t.Error(err)
			}
		})
	}
	return all.Wait
}

// TestDrawingOfTen checks that a page shows all strokes of ten people, and a late comer the same picture.
func TestDrawingOfTen(t *testing.T) {
	s := harness.Serve(t)
	a := openDrawing(t, s, "Ada", red)
	const strokes = 5
	start(t, s, strokes, 0)()
	a.Until(fmt.Sprintf(`iot.stats().messagesIn >= %d`, robots*(strokes*(piecesOfStroke+1)+1)))
	a.Until(fmt.Sprintf(`document.querySelectorAll(".cursor").length === %d`, robots))
	b := openDrawing(t, s, "Bob", blue)
	b.shows(100, 950, "#e14019ff")
	b.same(a)
}

// TestFramesOfDrawing measures a page while ten people draw. All other work is in another process.
func TestFramesOfDrawing(t *testing.T) {
	skipUnlessMeasuring(t)
	const seconds = 25
	s := harness.Serve(t)
	a := openDrawing(t, s, "Ada", red)
	wait := start(t, s, seconds, pieceInterval)
	a.Until(fmt.Sprintf(`document.querySelectorAll(".cursor").length === %d`, robots))
	t.Log(a.Frames((seconds-5)*time.Second, func() {}))
	t.Logf("heap after it: %.1f MB", a.Metric("JSHeapUsedSize")/1e6)
	wait()
}
