package mqtt

import "slices"

// messageQueue is a first-in, first-out queue of messages.
type messageQueue struct {
	list      []*pendingPublish // list[:head] is unused
	head      int
	bytes     int // the sum of the sizes of topics, properties and payloads
	qos0Count int // the number of QoS 0 messages
}

// all returns the messages in order. The slice is valid until the queue changes.
func (q *messageQueue) all() []*pendingPublish { return q.list[q.head:] }

func (q *messageQueue) len() int { return len(q.list) - q.head }

// account updates bytes and qos0Count for p. n is 1 when p is added, and -1 when p is
// removed.
func (q *messageQueue) account(p *pendingPublish, n int) {
	q.bytes += n * len(p.buf)
	if p.qos == 0 {
		q.qos0Count += n
	}
}

func (q *messageQueue) push(p *pendingPublish) {
	if q.head > 64 && q.head > len(q.list)/2 {
		n := copy(q.list, q.list[q.head:])
		clear(q.list[n:])
		q.list, q.head = q.list[:n], 0
	}
	q.list = append(q.list, p)
	q.account(p, 1)
}

// prepend inserts list, in its order, at the front.
func (q *messageQueue) prepend(list []*pendingPublish) {
	q.list, q.head = slices.Concat(list, q.all()), 0
	for _, p := range list {
		q.account(p, 1)
	}
}

// remove removes and returns the message with this token. It returns nil when there
// is none.
func (q *messageQueue) remove(token Token) *pendingPublish {
	i := slices.IndexFunc(q.all(), func(p *pendingPublish) bool { return p.token == token })
	if i < 0 {
		return nil
	}
	p := q.list[q.head+i]
	q.list = slices.Delete(q.list, q.head+i, q.head+i+1)
	q.account(p, -1)
	return p
}

// peek returns the first message, or nil when the queue is empty.
func (q *messageQueue) peek() *pendingPublish {
	if q.len() == 0 {
		return nil
	}
	return q.list[q.head]
}

// pop removes and returns the first message. It returns nil when the queue is empty.
func (q *messageQueue) pop() *pendingPublish {
	p := q.peek()
	if p == nil {
		return nil
	}
	q.list[q.head] = nil
	q.head++
	if q.head == len(q.list) {
		q.list, q.head = q.list[:0], 0
	}
	q.account(p, -1)
	return p
}
