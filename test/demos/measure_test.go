package demos

import (
	"flag"
	"testing"
	"time"

	"iot.wasm/test/harness"
)

var measure = flag.Bool("measure", false, "measure the frames of the demos; the machine should have nothing else to do")

// skipUnlessMeasuring skips a test that measures. The figures go to the log: a duration never decides a test.
func skipUnlessMeasuring(t *testing.T) {
	t.Helper()
	if !*measure {
		t.Skip("the flag -measure is not set; make frames sets it")
	}
}

// TestFramesOfIdlePage measures a page that does nothing, so that the other figures can be compared with it.
func TestFramesOfIdlePage(t *testing.T) {
	skipUnlessMeasuring(t)
	t.Log(open(t, harness.Serve(t).URL+"demos/mqtt-sample.html").Frames(5*time.Second, func() {}))
}
