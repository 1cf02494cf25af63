// Command bench compares iot.wasm with other MQTT clients for browsers, and with a bare
// WebSocket. All of them run in one Chromium and connect to one server, the lean peer. The
// lean peer implements only the parts of MQTT that the measurements need. "make bench"
// runs the command in the project's folder:
//
//	go run ./test/bench [-rounds 3] [-quick] [-only regexp] [-www www] [-json file]
//	go run ./test/bench -profile iot/receive50
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
//   - Clients are bundled and minified; iot.wasm is served as it is published. All
//     files are compressed with brotli 11 before the measurements.
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
	"syscall"

	"iot.wasm/test/harness"
)

// dir is the folder of this package, relative to the project's folder.
const dir = "test/bench"

// clients are the measured clients.
var clients = []struct {
	name string
	peer bool   // whether the goals compare iot.wasm with it
	npm  string // the name of its package
}{
	{"iot", false, ""},
	{"mqttjs", true, "mqtt"},
	{"aws", true, "aws-iot-device-sdk-v2"},
	{"paho", true, "paho-mqtt"},
	{"u8", true, "u8-mqtt"},
	{"raw", false, ""},
}

type options struct {
	rounds        int
	quick         bool
	only          *regexp.Regexp
	www           string
	json, profile string
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	var o options
	flag.IntVar(&o.rounds, "rounds", 3, "how many `rounds` to measure")
	flag.BoolVar(&o.quick, "quick", false, "measure one round of short measurements")
	only := flag.String("only", "", "run the measurements that this `regexp` matches: receive50, publish-qos1, latency, start, soak, …")
	flag.StringVar(&o.www, "www", "www", "the `folder` that contains iot.js and iot.wasm")
	flag.StringVar(&o.json, "json", "", "write the results to this `file`; with -profile, write the profile")
	flag.StringVar(&o.profile, "profile", "", "profile the page's thread in a `client/measurement`")
	flag.Parse()
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		log.Fatal(err)
	}
	if o.quick {
		o.rounds = 1
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
	if _, err := s.pack("/www/iot.wasm"); err != nil { // compress the wasm before a page requests it
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
	c := &runner{browser: browser, address: address, quick: o.quick, selects: o.only.MatchString, results: r}
	if o.profile != "" {
		return c.profile(ctx, s, o.profile, o.json)
	}
	interrupted := c.run(ctx, o.rounds)
	r.conclude()
	if o.json != "" {
		if err := r.write(o.json); err != nil {
			return err
		}
	}
	return errors.Join(interrupted, r.print(os.Stdout))
}
