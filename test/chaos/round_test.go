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

	"iot.wasm/test/mosquitto"
)

// patience is how long a page may take to settle everything once the network is good.
const patience = 45 * time.Second

var errLate = errors.New("not everything has arrived at the observer")

// round is one life of a client in bad times.
type round struct {
	seed     uint64
	length   time.Duration
	prefix   string // of its topics and client ids
	tab      context.Context
	broker   *mosquitto.Broker
	proxy    *proxy
	observer *observer
	book     *ledger
	log      *journal
	faults   int
	deleted  int // sessions

	report  report
	calmed  map[string]bool // what the observer has published since it became calm
	failure []string
}

// report is what the page says at the end.
type report struct {
	Settled   [][2]string
	Heard     [][3]any // name, whether it was a retransmission, QoS
	Unclaimed []string
	Told      map[string]int
	Wrong     []string
	Waiting   []string
	State     string
	Stats     struct{ MessagesIn, MessagesOut, Connects int }
	Memory    int
}

func (r *round) broken(format string, args ...any) {
	r.failure = append(r.failure, fmt.Sprintf(format, args...))
}

// run lives the round and checks it. The error is the harness's own.
func (r *round) run() error {
	r.log = &journal{begin: time.Now()}
	r.book = newLedger()
	chance := rand.New(rand.NewPCG(r.seed, 2))
	settings := fmt.Sprintf("allow_anonymous true\nmax_inflight_messages %d", []int{5, 20, 100}[chance.IntN(3)])
	var err error
	if r.broker, err = mosquitto.Start(settings); err != nil {
		return err
	}
	defer r.broker.Stop()
	r.proxy, err = newProxy(r.broker.Address, r.seed, r.log, func() *tap { return newTap(r.book) })
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
	if err := r.eval(fmt.Sprintf(`await chaos.start(%s, %q, %d)`, options, r.prefix, r.seed&0x7fffffff), nil); err != nil {
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
			if err := r.happen(f); err != nil {
				r.log.note("%s: %v", f, err)
			}
		})
	}
	time.Sleep(time.Until(r.log.begin.Add(r.length)))
	close(over)
	all.Wait()
	r.log.note("calm")
	if err := r.calm(); err != nil {
		r.broken("it does not become calm: %v", err)
	}
	if err := r.eval(`chaos.round.report()`, &r.report); err != nil {
		return err
	}
	r.check()
	return r.eval(`await chaos.round.client.disconnect()`, nil)
}

func (r *round) dial() (net.Conn, error) { return net.Dial("unix", r.broker.Socket) }

// publish is what the observer publishes until it is over.
func (r *round) publish(chance *rand.Rand, over <-chan struct{}) {
	numbers := map[string]int{}
	for {
		burst := chance.IntN(6)
		if chance.IntN(100) == 0 {
			burst = 150
		}
		for range burst {
			topic := fmt.Sprintf("%sdown/%d", r.prefix, chance.IntN(3))
			if chance.IntN(4) == 0 {
				topic = fmt.Sprintf("%spart/%d", r.prefix, chance.IntN(2))
			}
			qos := byte(chance.IntN(3))
			stream := fmt.Sprint(topic, " ", qos)
			numbers[stream]++
			padding := chance.IntN(100)
			if chance.IntN(200) == 0 {
				padding = chance.IntN(100_000)
			}
			if !r.observer.publish(topic, fmt.Sprint(stream, " ", numbers[stream]), padding, qos, over) {
				return
			}
		}
		select {
		case <-over:
			return
		case <-time.After(time.Duration(chance.IntN(40)) * time.Millisecond):
		}
	}
}

// happen makes a fault happen, and returns when it is over or goes on by itself.
func (r *round) happen(f fault) error {
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
	meanwhile := func(on, off func(*weather)) {
		r.proxy.set(on)
		time.Sleep(f.during)
		r.proxy.set(off)
	}
	switch f.kind {
	case "delay":
		meanwhile(func(w *weather) { w.delay = time.Duration(f.n) * time.Millisecond }, func(w *weather) { w.delay = 0 })
	case "slice":
		meanwhile(func(w *weather) { w.slice = f.n }, func(w *weather) { w.slice = 0 })
	case "throttle":
		meanwhile(func(w *weather) { w.rate = f.n }, func(w *weather) { w.rate = 0 })
	case "refuse":
		meanwhile(func(w *weather) { w.refuse = true }, func(w *weather) { w.refuse = false })
	case "busy":
		return r.eval(fmt.Sprintf(`chaos.busy(%d)`, f.during.Milliseconds()), nil)
	case "clock set":
		return r.eval(fmt.Sprintf(`chaos.skew(%d)`, f.n), nil)
	case "sleep":
		return r.eval(fmt.Sprintf(`chaos.leap(%d)`, f.n), nil)
	case "wake":
		return r.eval(fmt.Sprintf(`chaos.wake(%q)`, []string{"online", "visibilitychange", "resume"}[int(f.at)%3]), nil)
	case "reconnect":
		return r.eval(`chaos.round.client.reconnect()`, nil)
	case "part on", "part off":
		return r.eval(fmt.Sprintf(`chaos.round.part(%t)`, f.kind == "part on"), nil)
	case "freeze":
		return r.freeze(f.during)
	case "offline":
		return r.offline(f.during)
	case "session deleted":
		return r.deleteSession()
	}
	return nil
}

// one keeps faults of one kind from each other.
var one struct{ freeze, offline, session sync.Mutex }

func (r *round) freeze(during time.Duration) error {
	one.freeze.Lock()
	defer one.freeze.Unlock()
	set := func(state page.SetWebLifecycleStateState) error {
		_, err := chromedp.Call(r.tab, page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: state})
		return err
	}
	err := set(page.SetWebLifecycleStateStateFrozen)
	time.Sleep(during)
	return errors.Join(err, set(page.SetWebLifecycleStateStateActive))
}

func (r *round) offline(during time.Duration) error {
	one.offline.Lock()
	defer one.offline.Unlock()
	set := func(offline bool) error {
		_, err := chromedp.Call(r.tab, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{{Offline: offline, DownloadThroughput: -1, UploadThroughput: -1}},
		})
		_, other := chromedp.Call(r.tab, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: offline, DownloadThroughput: -1, UploadThroughput: -1})
		return errors.Join(err, other)
	}
	err := set(true)
	time.Sleep(during)
	return errors.Join(err, set(false))
}

// deleteSession has the broker forget the page's session, while the page is away.
func (r *round) deleteSession() error {
	one.session.Lock()
	defer one.session.Unlock()
	r.proxy.set(func(w *weather) { w.refuse = true })
	defer r.proxy.set(func(w *weather) { w.refuse = false })
	r.proxy.resetAll()
	conn, err := r.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	r.deleted++
	_, err = hello(conn, r.prefix+"page") // with a session that ends with the connection
	return err
}

// calm waits until everything is settled and has arrived, in a good network.
func (r *round) calm() error {
	late := make(chan struct{})
	defer time.AfterFunc(patience, func() { close(late) }).Stop()
	ctx, cancel := context.WithTimeout(r.tab, patience)
	defer cancel()
	r.proxy.heal()
	// A subscription that was lost with its session is there again before the rest comes.
	if err := r.poll(ctx, `chaos.round.client.state === "connected"`); err != nil {
		return err
	}
	if err := r.eval(`await chaos.round.client.subscribe(chaos.round.prefix + "calm", () => {}, { qos: 1 }); chaos.round.stop()`, nil); err != nil {
		return err
	}
	r.calmed = map[string]bool{}
	for qos := range byte(2) {
		name := fmt.Sprintf("%sdown/end %d 1", r.prefix, qos+1)
		r.calmed[name] = true
		r.observer.publish(r.prefix+"down/end", name, 0, qos+1, late)
	}
	if err := r.poll(ctx, `chaos.round.calm`); err != nil {
		return err
	}
	for name := range r.calmed {
		if err := r.poll(ctx, fmt.Sprintf(`chaos.round.heard.some(([name]) => name === %q)`, name)); err != nil {
			return err
		}
	}
	return r.observer.until(func() bool {
		return len(r.observer.free) == r.observer.most && r.observer.times[r.prefix+"up/end 1 1"] > 0 && r.observer.times[r.prefix+"up/end 2 1"] > 0
	}, late)
}

// poll waits in the page until the expression is true.
func (r *round) poll(ctx context.Context, expression string) error {
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](expression, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(0)))
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("after %v, not %s", patience, expression)
	}
	return err
}
