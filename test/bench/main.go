// Command bench compares iot.wasm with other MQTT clients for browsers, and with a bare
// WebSocket. All of them run in Chromium and connect to one server, the lean peer. The
// lean peer implements only the parts of MQTT that the measurements need. "make bench"
// runs the command in the project's folder:
//
//	go run ./test/bench [-rounds 3] [-starts 9] [-quick] [-only regexp] [-www www] [-json file]
//	go run ./test/bench -profile iot/receive50
//
// One command measures and publishes the results:
//
//	make bench BENCHFLAGS='-rounds 7 -publish'
//
// It writes test/bench/results.json and, from this file and the text in
// test/bench/performance.md.tmpl, docs/performance.md. After a change of the text or of a goal,
// "go run ./test/bench -render" writes docs/performance.md again, without a measurement.
//
// The command needs Chromium and npm. At the first run, npm downloads the other clients.
//
// The comparison follows these rules:
//
//   - Every client has the same page and the same handler, which reads the topic and the
//     payload. It publishes the same Uint8Array, with a callback for each message. The
//     folder page/peers contains an adapter for each client. A client uses its default
//     options and MQTT 5; paho-mqtt supports only MQTT 3.1.1. URLs are not signed.
//   - Every client subscribes to one wildcard filter. It receives messages of 16 topics
//     in turn.
//   - A client has a new tab and profile in each round. A warm-up precedes each
//     measurement of a rate or of round trips. The clients take turns in every
//     measurement, so that other load of the machine affects all of them. Ratios are
//     medians of the rounds' ratios. The time of the page's thread is CPU time, which
//     other programs affect least.
//   - The lean peer must not be the bottleneck. It sends frames in writes of 128 KiB and
//     answers all packets of one read in one frame. The client "raw", which sends and
//     receives prepared packets, shows the limit of the lean peer.
//   - The time of receiving begins with the request for the messages. It ends when the page
//     receives the end message. The lean peer sends the end message after the last message,
//     and for QoS 1 after the last PUBACK. At most 1,000 messages are unacknowledged.
//   - The time of publishing begins with the first call. The page publishes 100 messages
//     in a turn of the event loop, without awaiting them. For QoS 0, the time ends when the
//     lean peer reports that it has received all messages. For QoS 1, the time ends with
//     the last callback.
//   - A start is the time from the import of a client to CONNACK. The import begins after the
//     load event of the page. Each start has a new Chromium process with an empty profile. Its
//     first page, after 1 s, is the start in a fresh browser, and a page in a new tab is the
//     second page. The method start describes the other pages. The client "iot-preload" is iot.wasm in a
//     page whose link elements load the files before the import; no goal uses it.
//   - Clients are bundled and minified; iot.wasm is served as it is published. All files are
//     compressed with brotli 11 before the measurements, and the browser may cache them.
//
// The client "raw" does not implement MQTT. It reads the first packet of a frame instead
// of all packets, and calls send() for each published message. A client that combines the
// messages of a turn in one call of send() can be faster than "raw".
//
// The results depend on the machine, and the ratios depend on it less. The program prints
// whether the goals are met; an unmet goal is not an error.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"syscall"
	"time"

	"iot.wasm/test/harness"
)

// dir is the folder of this package, relative to the project's folder.
const dir = "test/bench"

// A client is a measured client.
type client struct {
	name  string
	title string // in docs/performance.md
	peer  bool   // whether the goals compare iot.wasm with it
	npm   string // the name of its package
}

// connected are the clients of all measurements. The folder page/peers has a file for each.
var connected = []client{
	{name: "iot", title: "iot.wasm"},
	{name: "mqttjs", title: "MQTT.js", peer: true, npm: "mqtt"},
	{name: "aws", title: "aws-iot-device-sdk-v2", peer: true, npm: "aws-iot-device-sdk-v2"},
	{name: "paho", title: "paho-mqtt", peer: true, npm: "paho-mqtt"},
	{name: "u8", title: "u8-mqtt", peer: true, npm: "u8-mqtt"},
	{name: "raw", title: "raw WebSocket"},
}

// preloaded is iot.wasm in a page that loads its files before the import.
var preloaded = client{name: "iot-preload", title: "iot.wasm, preloaded"}

// clients are the clients of the starts.
var clients = append(connected[:len(connected):len(connected)], preloaded)

// title returns the title of a client. The name must be one of clients.
func title(name string) string {
	i := slices.IndexFunc(clients, func(c client) bool { return c.name == name })
	return clients[i].title
}

type options struct {
	rounds, starts int
	later          time.Duration
	quick, publish bool
	only           *regexp.Regexp
	www            string
	json, profile  string
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	var o options
	flag.IntVar(&o.rounds, "rounds", 3, "how many `rounds` to measure, without the starts")
	flag.IntVar(&o.starts, "starts", 9, "how many `rounds` of starts to measure")
	flag.DurationVar(&o.later, "later", 3*time.Second, "how long a page of a start is open before the last page; 0: no last page")
	flag.BoolVar(&o.quick, "quick", false, "measure one round of short measurements")
	only := flag.String("only", "", "run the measurements that this `regexp` matches: receive50, publish-qos1, latency, start, soak, …")
	flag.StringVar(&o.www, "www", "www", "the `folder` that contains iot.js and iot.wasm")
	flag.StringVar(&o.json, "json", "", "write the results to this `file`; with -profile, write the profile")
	flag.BoolVar(&o.publish, "publish", false, "write "+resultsFile+" and "+documentFile)
	flag.StringVar(&o.profile, "profile", "", "profile the page's thread in a `client/measurement`")
	render := flag.Bool("render", false, "write "+documentFile+" from "+resultsFile+", without a measurement")
	flag.Parse()
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		log.Fatal(err)
	}
	if o.quick {
		o.rounds, o.starts = 1, 1
	}
	if *render {
		if err := writeDocument("."); err != nil {
			log.Fatal(err)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, o options) error {
	if _, err := os.Stat(o.www + "/iot.wasm"); err != nil {
		return errors.New(o.www + "/iot.wasm is missing; run: make wasm")
	}
	if err := install(ctx); err != nil {
		return err
	}
	scripts, err := bundle()
	if err != nil {
		return err
	}
	s := &site{lean: newLean(), www: o.www, scripts: scripts, packed: map[string][]byte{}}
	sizes, err := s.sizes() // also compresses the wasm before a page requests it
	if err != nil {
		return err
	}
	address, err := s.listen(ctx)
	if err != nil {
		return err
	}
	browser, stop, err := harness.LaunchChromium(ctx, harness.Local)
	if err != nil {
		return err
	}
	defer stop()
	r := newResults(product(browser), versions())
	c := &runner{browser: browser, address: address, quick: o.quick, selects: o.only.MatchString, later: o.later, results: r}
	if o.profile != "" {
		return c.profile(ctx, s, o.profile, o.json)
	}
	r.add("iot", sizes)
	interrupted := c.run(ctx, o.rounds, o.starts)
	r.conclude()
	if o.json != "" {
		if err := r.write(o.json); err != nil {
			return err
		}
	}
	if err := errors.Join(interrupted, r.print(os.Stdout)); err != nil || !o.publish {
		return err
	}
	return r.publish(".")
}
