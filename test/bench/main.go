// Command bench sets iot.wasm beside other MQTT clients of the browser, and beside
// the bare WebSocket, in one Chromium against one lean peer. It is what "make
// bench" runs, in the project's folder:
//
//	go run ./test/bench [-rounds 3] [-quick] [-only regexp] [-www www] [-json file]
//	go run ./test/bench -profile iot/receive50
//
// It needs Chromium and npm, which fetches the other clients the first time.
//
// What makes the comparison fair:
//
//   - Every client gets the same pages, the same handler, which looks at the topic
//     and into the payload, and the same Uint8Array to publish, with a callback for
//     each message. What a client needs to be called so is in page/peers, one small
//     file each. Its options are its defaults, but for MQTT 5; paho-mqtt knows 3.1.1
//     alone. Nothing is signed.
//   - All subscribe to one wildcard filter, on which 16 topics come in turn.
//   - A client has a fresh tab and profile for each round, and a warm-up before each
//     measurement. The clients take turns with every measurement, so that what else
//     the machine does meets all of them; ratios are medians of the rounds' ratios.
//     The time of the page's thread is CPU time, which other programs prolong least.
//   - The peer is hand-written, for the same reason: it sends frames made in one go
//     in writes of 128 KiB, and answers all that one read has brought in one frame.
//     That it is not what is measured is seen by the floor, "raw", which sends and
//     receives packets made beforehand.
//   - Rates of receiving go from the request for the messages to the last one's
//     handler; with QoS 1 to the message that follows the last PUBACK. At most 1,000
//     are on their way unacknowledged. Rates of publishing go from the first call, in
//     bursts of 100 a turn of the event loop, without awaiting any, until the peer
//     says that it has counted all, or with QoS 1 until the last callback.
//   - Clients are bundled and minified; iot.wasm is served as it ships. Everything
//     goes over the wire with brotli 11, compressed beforehand.
//
// The floor does no MQTT: it takes the first packet of a frame for all of them, and
// makes one send of each that is published, so that a client that joins what one
// turn publishes can be faster.
//
// The numbers depend on the machine; ratios do so less. A goal that is not met is
// printed, and is no failure.
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

	"iot.wasm/test/chromium"
)

// dir is this folder, as seen from the project's.
const dir = "test/bench"

// clients are all that are measured.
var clients = []struct {
	name string
	peer bool   // whether the goals are measured by it
	npm  string // its package
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
	flag.IntVar(&o.rounds, "rounds", 3, "how often everything is measured")
	flag.BoolVar(&o.quick, "quick", false, "one round of short measurements")
	only := flag.String("only", "", "measure only what this regular expression matches: receive50, publish-qos1, latency, start, soak, …")
	flag.StringVar(&o.www, "www", "www", "the folder that holds iot.js and iot.wasm")
	flag.StringVar(&o.json, "json", "", "write everything to this file; with -profile, the profile")
	flag.StringVar(&o.profile, "profile", "", "client/measurement: where the page's thread spends its time")
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
		return errors.New("there is no iot.wasm in " + o.www + "; run: make wasm")
	}
	if err := install(ctx); err != nil {
		return err
	}
	scripts, err := bundle()
	if err != nil {
		return err
	}
	s := &site{lean: newLean(), www: o.www, scripts: scripts, packed: map[string][]byte{}}
	if _, err := s.pack("/www/iot.wasm"); err != nil { // now, and not while a page waits for it
		return err
	}
	address, err := s.listen(ctx)
	if err != nil {
		return err
	}
	browser, stop, err := chromium.Launch(ctx, chromium.Local)
	if err != nil {
		return err
	}
	defer stop()
	r := newResults(product(browser), versions())
	c := &course{browser: browser, address: address, quick: o.quick, want: o.only.MatchString, results: r}
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
