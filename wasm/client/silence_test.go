package client

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"iot.wasm/wasm/mqtt"
)

// A mute broker answers only some types of packets.
type mute struct {
	name    string
	answers []byte // types of packets
	reads   bool   // false: after CONNACK, the socket buffers all bytes
}

// run runs the client for an hour.
func (m mute) run(w *world) {
	opened := uint32(0)
	buffered := 0
	var in []byte
	for w.now < time.Hour {
		if w.attempt != opened && w.sockets == 1 && (w.State() == Connecting || w.State() == Reconnecting) {
			opened, buffered, in = w.attempt, 0, nil
			w.Opened(w.now, w.attempt)
		}
		w.Buffered(w.now, buffered)
		w.PrepareOutput()
		for len(w.Output()) > 0 {
			out := slices.Clone(w.Output())
			w.Flushed(w.now, len(out))
			if !m.reads && w.State() == Connected {
				buffered += len(out)
				continue
			}
			in = append(in, out...)
			for len(in) > 0 {
				r := bytes.NewReader(in)
				cp, err := packets.ReadPacket(r)
				if err != nil {
					break // the packet is incomplete
				}
				in = in[len(in)-r.Len():]
				if slices.Contains(m.answers, cp.Type) {
					m.answer(w, cp)
				}
			}
		}
		w.now = max(w.now+10*time.Millisecond, min(w.Deadline(), w.now+time.Second))
		w.Tick(w.now)
	}
}

func (mute) answer(w *world, cp *packets.ControlPacket) {
	props := &packets.Properties{}
	switch p := cp.Content.(type) {
	case *packets.Connect:
		w.fromBroker(packets.CONNACK, &packets.Connack{SessionPresent: !p.CleanStart, Properties: props})
	case *packets.Pingreq:
		w.fromBroker(packets.PINGRESP, &packets.Pingresp{})
	case *packets.Publish:
		if p.QoS == 2 {
			w.fromBroker(packets.PUBREC, &packets.Pubrec{PacketID: p.PacketID, Properties: props})
		}
	}
}

// Every call settles, whichever packets the broker does not answer.
func TestEveryCallSettles(t *testing.T) {
	calls := map[string]func(w *world, k mqtt.Token){
		"publish QoS 0": func(w *world, k mqtt.Token) {
			if w.pub(k, 0, "t", "x") { // in a page, JavaScript settles the promise if pub returns true
				w.Done(k, nil)
			}
		},
		"publish QoS 1": func(w *world, k mqtt.Token) { w.pub(k, 1, "t", "x") },
		"publish QoS 2": func(w *world, k mqtt.Token) { w.pub(k, 2, "t", "x") },
		"publish many": func(w *world, k mqtt.Token) {
			for i := range mqtt.Token(100) {
				w.pub(k+1000+i, 1, "t", strings.Repeat("x", 100_000))
			}
			w.pub(k, 0, "t", "x")
		},
		"subscribe": func(w *world, k mqtt.Token) { w.sub(k, "f", 1) },
		"unsubscribe": func(w *world, k mqtt.Token) {
			id := w.sub(k+1000, "g", 1)
			w.PrepareOutput()
			w.Unsubscribe(w.now, k, id)
		},
	}
	for _, m := range []mute{
		{"answers PINGREQ", []byte{packets.CONNECT, packets.PINGREQ}, true},
		{"answers PINGREQ and PUBLISH", []byte{packets.CONNECT, packets.PINGREQ, packets.PUBLISH}, true},
		{"answers nothing after CONNECT", []byte{packets.CONNECT}, true},
		{"reads nothing after CONNECT", []byte{packets.CONNECT}, false},
	} {
		for name, call := range calls {
			for _, keepAlive := range []int{0, 120} {
				t.Run(fmt.Sprintf("%s, %s, keep-alive %d s", m.name, name, keepAlive), func(t *testing.T) {
					w := online(t, func(o *Options) { o.KeepAlive = keepAlive })
					call(w, 7)
					if rejected := strings.Contains(strings.Join(w.log, ";"), " 7 "); !rejected {
						m.run(w)
					}
					text := strings.Join(w.log, "; ") + ";"
					settled := strings.Contains(text, "failed 7 ") || strings.Contains(text, "done 7;")
					if !settled {
						t.Errorf("the call did not settle: %.600s", text)
					}
					if w.engine.Unsent() > 2<<20 || w.engine.Held() > 0 && name != "publish QoS 0" {
						t.Errorf("after an hour, messages use %d bytes: %.2000s", w.engine.Held(), text)
					}
				})
			}
		}
	}
	t.Run("connect", func(t *testing.T) {
		for _, answers := range [][]byte{nil, {packets.PINGREQ}} {
			w := newWorld(t)
			o := unsigned()
			o.MaxAttempts = 3
			w.Connect(0, 1, &o)
			mute{answers: answers, reads: true}.run(w)
			if !strings.Contains(strings.Join(w.log, "; "), "failed 1 ERR_CONNACK_TIMEOUT") {
				t.Errorf("the calls are %q", w.log)
			}
		}
	})
}

// AWS IoT Core discards messages that exceed its rate, without an answer. The client sends
// them again until all of them have arrived.
func TestDiscardedMessagesArrive(t *testing.T) {
	w := online(t, nil)
	for k := range mqtt.Token(300) {
		w.pub(k+10, 1, "t", fmt.Sprint(k))
	}
	second, accepted := time.Duration(-1), 0
	for w.now < 10*time.Minute {
		if w.State() == Reconnecting && w.sockets == 1 {
			w.Opened(w.now, w.attempt)
		}
		for _, cp := range w.out() {
			switch p := cp.Content.(type) {
			case *packets.Connect:
				w.fromBroker(packets.CONNACK, &packets.Connack{SessionPresent: true, Properties: &packets.Properties{}})
			case *packets.Pingreq:
				w.fromBroker(packets.PINGRESP, &packets.Pingresp{})
			case *packets.Publish:
				if s := w.now / time.Second; s != second {
					second, accepted = s, 0
				}
				if accepted++; accepted <= 100 {
					w.fromBroker(packets.PUBACK, &packets.Puback{PacketID: p.PacketID, Properties: &packets.Properties{}})
				}
			}
		}
		w.tick(min(w.Deadline()-w.now, time.Second))
	}
	text := strings.Join(w.log, ";")
	if n := strings.Count(text, "published "); n != 300 || strings.Contains(text, "failed") {
		t.Errorf("%d of 300 messages are acknowledged: %.600s", n, text)
	}
}

// AckTimeout sets the timeout, and 0 disables it. AckTimeout and UnclaimedTimeout are at
// least 0 and at most a day.
func TestAckTimeoutOption(t *testing.T) {
	w := online(t, func(o *Options) { o.AckTimeout, o.KeepAlive = 5*time.Second, 0 })
	w.pub(2, 1, "t", "x")
	w.sends("PUBLISH x")
	w.tick(5 * time.Second)
	w.expectCalls("close; disconnected ERR_ACK_TIMEOUT retry 1s[reconnecting]")
	off := online(t, func(o *Options) { o.AckTimeout, o.KeepAlive = 0, 0 })
	off.pub(2, 1, "t", "x")
	off.sends("PUBLISH x")
	if off.Deadline() != mqtt.Never {
		t.Errorf("the deadline is %v without a timeout", off.Deadline())
	}
	for _, d := range []time.Duration{-1, day + 1} {
		o := unsigned()
		if o.AckTimeout = d; o.check() == nil {
			t.Errorf("an AckTimeout of %v is accepted", d)
		}
		o = unsigned()
		if o.UnclaimedTimeout = d; o.check() == nil {
			t.Errorf("an UnclaimedTimeout of %v is accepted", d)
		}
	}
}
