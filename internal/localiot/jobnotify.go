package localiot

import (
	"log/slog"
	"sync"
	"time"

	"iot.wasm/internal/localiot/broker"
	"iot.wasm/internal/localiot/jobs"
)

const (
	// maxNotifications bounds the notifications that wait to be published, in bytes.
	maxNotifications = 16 << 20

	// notificationOverhead estimates the memory of a notification without its document, in bytes.
	notificationOverhead = 256

	// jobTick is the time between two checks of the timeouts of jobs.
	jobTick = time.Second
)

// jobNotifier publishes the notifications of jobs in their order, and lets the timeouts of jobs expire. The
// caller of start must call stop.
type jobNotifier struct {
	log     *slog.Logger
	stopped chan struct{}
	done    sync.WaitGroup
	wake    chan struct{} // has one element if queue is not empty

	mu    sync.Mutex
	queue []jobs.Notification
	bytes int // the size of queue
}

func newJobNotifier(log *slog.Logger) *jobNotifier {
	return &jobNotifier{log: log, stopped: make(chan struct{}), wake: make(chan struct{}, 1)}
}

func notificationSize(n jobs.Notification) int { return notificationOverhead + len(n.Document) }

// notify queues a notification. It is the function jobs.Options.Notify.
func (n *jobNotifier) notify(notification jobs.Notification) {
	n.mu.Lock()
	defer n.mu.Unlock()
	size := notificationSize(notification)
	if n.bytes+size > maxNotifications {
		n.log.Warn("a notification of a job was dropped", "thing", notification.Thing)
		return
	}
	n.queue = append(n.queue, notification)
	n.bytes += size
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// start begins to publish notifications.
func (n *jobNotifier) start(s *jobs.Service, publish func(broker.Publication) error) {
	n.done.Go(func() {
		ticker := time.NewTicker(jobTick)
		defer ticker.Stop()
		for {
			select {
			case <-n.stopped:
				return
			case <-ticker.C:
				s.Tick()
			case <-n.wake:
				n.publish(publish)
			}
		}
	})
}

// publish publishes the notifications in the queue.
func (n *jobNotifier) publish(publish func(broker.Publication) error) {
	n.mu.Lock()
	queue := n.queue
	n.queue, n.bytes = nil, 0
	n.mu.Unlock()
	for _, notification := range queue {
		topic := "$aws/things/" + notification.Thing + "/jobs/notify"
		if notification.Next {
			topic += "-next"
		}
		// The documentation does not state the QoS. With QoS 1, the subscription decides.
		if err := publish(broker.Publication{Topic: topic, Payload: notification.Document, QoS: 1}); err != nil {
			n.log.Warn("a notification of a job was not published", "topic", topic, "error", err)
		}
	}
}

// stop ends the publication. The queue is dropped.
func (n *jobNotifier) stop() {
	close(n.stopped)
	n.done.Wait()
}
