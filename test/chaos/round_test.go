package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"iot.wasm/test/harness"
	"iot.wasm/test/mosquitto"
)

// patience is how long the page may take to settle all promises after the disturbances.
const patience = 45 * time.Second

var errLate = errors.New("some messages have not arrived")

// A round is the time from connect() to disconnect() of one client of the page. In this
// time, disturbances occur.
type round struct {
	seed     uint64
	length   time.Duration // of the disturbances
	prefix   string        // of topics and client ids
	tab      *harness.Tab
	broker   *mosquitto.Broker
	proxy    *proxy
	observer *observer
	traffic  *traffic
	log      *journal
	faults   int
	deleted  int // sessions

	report  report
	last    map[string]bool // messages of the observer after the disturbances
	failure []string
}

// report is the report of the page after a round. page.js describes the members.
type report struct {
	Settled   [][2]string
	Received  [][3]any
	Unclaimed []string
	Events    map[string]int
	Uncaught  []string
	Pending   []string
	State     string
	Stats     struct{ MessagesIn, MessagesOut, Connects int }
	Memory    int // bytes
}

// broken reports a broken rule.
func (r *round) broken(format string, args ...any) {
	r.failure = append(r.failure, fmt.Sprintf(format, args...))
}

// run runs the round and checks the rules. It returns an error if the test itself fails.
func (r *round) run() error {
	r.log = &journal{begin: time.Now()}
	r.traffic = newTraffic()
	random := rand.New(rand.NewPCG(r.seed, 2))
	settings := fmt.Sprintf("allow_anonymous true\nmax_inflight_messages %d", []int{5, 20, 100}[random.IntN(3)])
	var err error
	if r.broker, err = mosquitto.Start(settings); err != nil {
		return err
	}
	defer r.broker.Stop()
	r.proxy, err = newProxy(r.broker.Address, r.seed, r.log, func() *tap { return newTap(r.traffic) })
	if err != nil {
		return err
	}
	defer r.proxy.close()
	if r.observer, err = observe(r.dial, r.prefix+"observer", r.prefix+"up/+"); err != nil {
		return err
	}
	defer r.observer.conn.Close()

	options := fmt.Sprintf(`{ endpoint: "ws://%s/mqtt", clientId: %q, keepAlive: 4, sessionExpiry: 3600,
		reconnect: { minDelayMs: 10, maxDelayMs: 400 }, offline: { maxMessages: 10_000, maxBytes: 2 ** 26 } }`, r.proxy.address(), r.prefix+"page")
	if err := r.tab.Try(fmt.Sprintf(`await chaos.start(%s, %q, %d)`, options, r.prefix, r.seed&0x7fffffff), nil); err != nil {
		return err
	}

	over := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() { r.publish(rand.New(rand.NewPCG(r.seed, 3)), over) })
	r.log.begin = time.Now()
	for _, f := range schedule(r.seed, r.length) {
		time.Sleep(time.Until(r.log.begin.Add(f.at)))
		r.log.note("%s", f)
		r.faults++
		all.Go(func() {
			if err := r.inject(f); err != nil {
				r.log.note("%s: %v", f, err)
			}
		})
	}
	time.Sleep(time.Until(r.log.begin.Add(r.length)))
	close(over)
	all.Wait()
	r.log.note("the disturbances have ended")
	if err := r.settle(); err != nil {
		r.broken("the round does not settle: %v", err)
	}
	if err := r.tab.Try(`chaos.round.report()`, &r.report); err != nil {
		return err
	}
	r.check()
	return r.tab.Try(`await chaos.round.client.disconnect()`, nil)
}

func (r *round) dial() (net.Conn, error) { return net.Dial("unix", r.broker.Socket) }

// publish makes the observer publish until over is closed.
func (r *round) publish(random *rand.Rand, over <-chan struct{}) {
	numbers := map[string]int{}
	for {
		burst := random.IntN(6)
		if random.IntN(100) == 0 {
			burst = 150
		}
		for range burst {
			topic := fmt.Sprintf("%sdown/%d", r.prefix, random.IntN(3))
			if random.IntN(4) == 0 {
				topic = fmt.Sprintf("%spart/%d", r.prefix, random.IntN(2))
			}
			qos := byte(random.IntN(3))
			stream := fmt.Sprint(topic, " ", qos)
			numbers[stream]++
			padding := random.IntN(100)
			if random.IntN(200) == 0 {
				padding = random.IntN(100_000)
			}
			if !r.observer.publish(topic, fmt.Sprint(stream, " ", numbers[stream]), padding, qos, over) {
				return
			}
		}
		select {
		case <-over:
			return
		case <-time.After(time.Duration(random.IntN(40)) * time.Millisecond):
		}
	}
}

// inject injects a fault. It returns when the fault has ended. If the proxy ends the fault,
// inject returns at once.
func (r *round) inject(f fault) error {
	l := r.proxy.newest()
	if l != nil {
		switch f.kind {
		case "reset":
			l.reset()
		case "reset one side":
			l.resetSide(f.way, f.during)
		case "cut after":
			l.cutAfter(f.way, f.n)
		case "half-close":
			l.finish(f.way, f.during)
		case "stall":
			l.stall(f.way, f.during)
		case "silence":
			l.silence(f.during)
		}
	}
	during := func(on, off func(*conditions)) {
		r.proxy.set(on)
		time.Sleep(f.during)
		r.proxy.set(off)
	}
	switch f.kind {
	case "delay":
		during(func(c *conditions) { c.delay = time.Duration(f.n) * time.Millisecond }, func(c *conditions) { c.delay = 0 })
	case "slice":
		during(func(c *conditions) { c.slice = f.n }, func(c *conditions) { c.slice = 0 })
	case "throttle":
		during(func(c *conditions) { c.rate = f.n }, func(c *conditions) { c.rate = 0 })
	case "refuse":
		during(func(c *conditions) { c.refuse = true }, func(c *conditions) { c.refuse = false })
	case "busy":
		return r.tab.Try(fmt.Sprintf(`chaos.busy(%d)`, f.during.Milliseconds()), nil)
	case "clock set":
		return r.tab.Try(fmt.Sprintf(`chaos.skew(%d)`, f.n), nil)
	case "sleep":
		return r.tab.Try(fmt.Sprintf(`chaos.leap(%d)`, f.n), nil)
	case "wake":
		return r.tab.Try(fmt.Sprintf(`chaos.wake(%q)`, []string{"online", "visibilitychange", "resume"}[int(f.at)%3]), nil)
	case "reconnect":
		return r.tab.Try(`chaos.round.client.reconnect()`, nil)
	case "part on", "part off":
		return r.tab.Try(fmt.Sprintf(`chaos.round.part(%t)`, f.kind == "part on"), nil)
	case "freeze":
		return r.freeze(f.during)
	case "offline":
		return r.offline(f.during)
	case "session deleted":
		return r.deleteSession()
	}
	return nil
}

// exclusive contains a mutex for each kind of fault that must not overlap with itself.
var exclusive struct{ freeze, offline, session sync.Mutex }

// freeze freezes the page, as a browser does with a page in the background.
func (r *round) freeze(during time.Duration) error {
	exclusive.freeze.Lock()
	defer exclusive.freeze.Unlock()
	set := func(state page.SetWebLifecycleStateState) error {
		_, err := chromedp.Call(r.tab.Ctx, page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: state})
		return err
	}
	err := set(page.SetWebLifecycleStateStateFrozen)
	time.Sleep(during)
	return errors.Join(err, set(page.SetWebLifecycleStateStateActive))
}

// offline makes the browser behave as if the machine had no network.
func (r *round) offline(during time.Duration) error {
	exclusive.offline.Lock()
	defer exclusive.offline.Unlock()
	set := func(offline bool) error {
		_, err := chromedp.Call(r.tab.Ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{{Offline: offline, DownloadThroughput: -1, UploadThroughput: -1}},
		})
		_, other := chromedp.Call(r.tab.Ctx, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: offline, DownloadThroughput: -1, UploadThroughput: -1})
		return errors.Join(err, other)
	}
	err := set(true)
	time.Sleep(during)
	return errors.Join(err, set(false))
}

// deleteSession deletes the page's session at the broker while the page is disconnected.
func (r *round) deleteSession() error {
	exclusive.session.Lock()
	defer exclusive.session.Unlock()
	r.proxy.set(func(c *conditions) { c.refuse = true })
	defer r.proxy.set(func(c *conditions) { c.refuse = false })
	r.proxy.resetAll()
	conn, err := r.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	r.deleted++
	_, err = connect(conn, r.prefix+"page") // the new session ends with the connection
	return err
}

// settle waits, with a good network, until all promises of the page are settled and all
// messages have arrived.
func (r *round) settle() error {
	late := make(chan struct{})
	defer time.AfterFunc(patience, func() { close(late) }).Stop()
	ctx, cancel := context.WithTimeout(r.tab.Ctx, patience)
	defer cancel()
	r.proxy.endFaults()
	// The answer to another SUBSCRIBE shows that the client has restored the subscriptions of a lost session.
	if err := poll(ctx, `chaos.round.client.state === "connected"`); err != nil {
		return err
	}
	if err := r.tab.Try(`await chaos.round.client.subscribe(chaos.round.prefix + "settled", () => {}, { qos: 1 }); chaos.round.stop()`, nil); err != nil {
		return err
	}
	r.last = map[string]bool{}
	for qos := range byte(2) {
		name := fmt.Sprintf("%sdown/end %d 1", r.prefix, qos+1)
		r.last[name] = true
		r.observer.publish(r.prefix+"down/end", name, 0, qos+1, late)
	}
	if err := poll(ctx, `chaos.round.idle`); err != nil {
		return err
	}
	for name := range r.last {
		if err := poll(ctx, fmt.Sprintf(`chaos.round.received.some(([name]) => name === %q)`, name)); err != nil {
			return err
		}
	}
	return r.observer.until(func() bool {
		return len(r.observer.free) == r.observer.most && r.observer.times[r.prefix+"up/end 1 1"] > 0 && r.observer.times[r.prefix+"up/end 2 1"] > 0
	}, late)
}

// poll waits until an expression is true in the page.
func poll(ctx context.Context, expression string) error {
	_, err := harness.Poll[bool](ctx, expression)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("not true after %v: %s", patience, expression)
	}
	return err
}
