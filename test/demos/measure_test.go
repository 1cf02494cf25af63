package demos

import (
	"flag"
	"fmt"
	"slices"
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

// frames are the durations of the frames of a page, and the tasks of its main thread that took longer than 50 ms. All
// durations are in milliseconds.
type frames struct {
	Frames []float64 // sorted
	Tasks  []float64 // sorted
	Worst  float64   // the end of the longest frame, in milliseconds since the begin
}

// frames records the frames of the page for a time. The page must be visible.
func (p *person) frames(d time.Duration) (f frames) {
	p.T.Helper()
	tab := harness.Tab{T: p.T, Ctx: p.Ctx, Patience: d + patience}
	tab.Is(`document.visibilityState`, `"visible"`)
	tab.Eval(fmt.Sprintf(`await new Promise((resolve) => {
		const frames = [], tasks = [], begin = performance.now();
		const record = (entries) => tasks.push(...entries.map((entry) => entry.duration));
		const observer = new PerformanceObserver((list) => record(list.getEntries()));
		observer.observe({ type: "longtask" });
		let last, worst = 0;
		requestAnimationFrame(function frame(now) {
			if (last !== undefined && now - last > Math.max(0, ...frames)) worst = now - begin;
			if (last !== undefined) frames.push(now - last);
			last = now;
			if (now - begin < %d) return requestAnimationFrame(frame);
			record(observer.takeRecords());
			observer.disconnect();
			resolve({ frames, tasks, worst });
		});
	})`, d.Milliseconds()), &f)
	if len(f.Frames) == 0 {
		p.T.Fatal("the page has no frames")
	}
	slices.Sort(f.Frames)
	slices.Sort(f.Tasks)
	return f
}

// median returns the median duration of a frame.
func (f frames) median() float64 { return f.Frames[len(f.Frames)/2] }

// longest returns the duration of the longest frame.
func (f frames) longest() float64 { return f.Frames[len(f.Frames)-1] }

func (f frames) String() string {
	total := 0.0
	for _, d := range f.Frames {
		total += d
	}
	task := 0.0
	if n := len(f.Tasks); n > 0 {
		task = f.Tasks[n-1]
	}
	return fmt.Sprintf("%d frames in %.1f s: median %.1f ms, 99 %% at most %.1f ms, longest %.1f ms after %.1f s; %d tasks above 50 ms, longest %.1f ms",
		len(f.Frames), total/1000, f.median(), f.Frames[len(f.Frames)*99/100], f.longest(), f.Worst/1000, len(f.Tasks), task)
}

// TestFramesOfIdlePage measures a page that does nothing, so that the other figures can be compared with it.
func TestFramesOfIdlePage(t *testing.T) {
	skipUnlessMeasuring(t)
	t.Log(open(t, harness.Serve(t).URL+"demos/mqtt-sample.html").frames(5 * time.Second))
}
