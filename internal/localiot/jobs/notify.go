package jobs

import (
	"slices"

	"iot.wasm/internal/localiot/jsontext"
)

// maxListed is how many executions a notification lists at most (jobs-comm-notifications.html).
const maxListed = 15

// A queue is the pending executions of a thing, in the order of their jobs, and the next one.
type queue struct {
	executions []*execution
	next       *execution
}

func (s *Service) queue(thing string) queue {
	return queue{slices.Clone(s.pending[thing]), s.next(thing)}
}

// listNotification is the message to notify (jobs-comm-notifications.html#jobs-comm-pending).
type listNotification struct {
	Timestamp int64 `json:"timestamp"`
	Jobs      struct {
		InProgress []ExecutionSummary `json:"IN_PROGRESS,omitempty"`
		Queued     []ExecutionSummary `json:"QUEUED,omitempty"`
	} `json:"jobs"`
}

// nextNotification is the message to notify-next (jobs-comm-notifications.html#jobs-comm-pending).
type nextNotification struct {
	Timestamp int64      `json:"timestamp"`
	Execution *Execution `json:"execution,omitempty"`
}

// notify sends the notifications about the changes of the pending executions of a thing.
//
// The list of criteria in jobs-comm-notifications.html states that notify is also published when an
// execution changes to IN_PROGRESS. The examples of that page, and jobs-mqtt-api.html, state that it is
// published only when an execution is added or removed. Here the examples decide.
func (s *Service) notify(thing string, before queue, now int64) {
	after := s.queue(thing)
	if !slices.Equal(before.executions, after.executions) {
		n := listNotification{Timestamp: now / 1000}
		n.Jobs.InProgress, n.Jobs.Queued = summaries(after.executions)
		n.Jobs.InProgress = n.Jobs.InProgress[:min(maxListed, len(n.Jobs.InProgress))]
		n.Jobs.Queued = n.Jobs.Queued[:min(maxListed-len(n.Jobs.InProgress), len(n.Jobs.Queued))]
		s.options.Notify(Notification{Thing: thing, Document: jsontext.Encode(n)})
	}
	if before.next != after.next {
		n := nextNotification{Timestamp: now / 1000}
		if after.next != nil {
			n.Execution = after.next.describe(now, true)
			n.Execution.ThingName = "" // as in the examples
		}
		s.options.Notify(Notification{Thing: thing, Next: true, Document: jsontext.Encode(n)})
	}
}

// summaries returns the summaries of pending executions by status.
func summaries(list []*execution) (inProgress, queued []ExecutionSummary) {
	inProgress, queued = []ExecutionSummary{}, []ExecutionSummary{}
	for _, e := range list {
		if e.Status == InProgress {
			inProgress = append(inProgress, e.summary())
		} else {
			queued = append(queued, e.summary())
		}
	}
	return inProgress, queued
}
