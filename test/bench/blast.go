package main

import (
	"context"
	"fmt"
)

// window is the largest number of unacknowledged messages of QoS 1 that the lean peer
// sends, unless the client's Receive Maximum is lower.
const window = 1000

// A blast is a number of messages that the lean peer sends as fast as possible.
type blast struct {
	Count    int  // the number of messages
	Size     int  // the size of each payload in bytes, at least 2
	QoS      byte // 0 or 1
	PerFrame int  // the number of packets in one WebSocket message, at least 1
}

// chunk is the approximate size of one write in bytes.
const chunk = 128 << 10

// blast sends the messages of b as fast as the client receives them, and then the end
// message. For QoS 1 it sends the end message after the last PUBACK. blast fails if the
// connection or ctx ends first.
func (k *conn) blast(ctx context.Context, b blast) error {
	var topics [inTopics]string
	for i := range topics {
		topics[i] = fmt.Sprintf("bench/in/%02d", i)
	}
	payload := make([]byte, b.Size)
	for i := range payload {
		payload[i] = byte('a' + i%26)
	}
	most := min(window, k.receiveMaximum)
	perFrame := b.PerFrame
	if b.QoS > 0 {
		perFrame = min(perFrame, most)
	}
	stop := context.AfterFunc(ctx, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.changed.Broadcast()
	})
	defer stop()

	var packets, out []byte
	for sent := 0; sent < b.Count; {
		free := b.Count
		if b.QoS > 0 {
			if err := k.wait(ctx, func() bool { return most-k.inflight >= perFrame }); err != nil {
				return err
			}
			k.mu.Lock()
			free = most - k.inflight
			k.mu.Unlock()
		}
		out = out[:0]
		before := sent
		for n := min(perFrame, b.Count-sent); n > 0 && n <= free && len(out) < chunk; n = min(perFrame, b.Count-sent) {
			packets = packets[:0]
			for range n {
				packets = k.appendPublish(packets, topics[sent%inTopics], b.QoS, uint16(sent%65535)+1, payload)
				sent++
			}
			free -= n
			out = appendFrame(out, opBinary, packets)
		}
		if b.QoS > 0 {
			k.mu.Lock()
			k.inflight += sent - before
			k.mu.Unlock()
		}
		if err := k.write(out); err != nil {
			return err
		}
	}
	if err := k.wait(ctx, func() bool { return k.inflight == 0 }); err != nil {
		return err
	}
	return k.write(appendFrame(nil, opBinary, k.appendEnd(nil)))
}

// expect makes the lean peer send the end message when n more messages have arrived.
func (k *conn) expect(n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.expected = n
}

// appendEnd appends the end message: a message to endTopic with a payload of one byte.
func (k *conn) appendEnd(to []byte) []byte {
	return k.appendPublish(to, endTopic, 0, 0, []byte{1})
}

// wait waits until done returns true. It calls done with k.mu held. wait fails if the
// connection or ctx ends first.
func (k *conn) wait(ctx context.Context, done func() bool) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for !done() {
		if k.err != nil {
			return fmt.Errorf("the connection has ended: %w", k.err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		k.changed.Wait()
	}
	return nil
}
