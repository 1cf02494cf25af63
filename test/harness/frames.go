package harness

import (
	"fmt"
	"slices"
	"time"
)

// Frames are the durations of the frames of a page, and the tasks of its main thread that took longer than
// 50 ms. All durations are in milliseconds.
type Frames struct {
	Frames []float64 // sorted
	Tasks  []float64 // sorted
}

// Frames records the frames of the page while work runs, and for at least the duration d. The page must be visible.
func (p *Person) Frames(d time.Duration, work func()) (f Frames) {
	p.T.Helper()
	p.Is(`document.visibilityState`, `"visible"`)
	p.Eval(`globalThis.recording = (() => {
		const frames = [], tasks = [];
		const record = (entries) => tasks.push(...entries.map((entry) => entry.duration));
		const observer = new PerformanceObserver((list) => record(list.getEntries()));
		observer.observe({ type: "longtask" });
		let last, on = true;
		requestAnimationFrame(function frame(now) {
			if (last !== undefined) frames.push(now - last);
			last = now;
			if (on) requestAnimationFrame(frame);
		});
		return { stop() { on = false; record(observer.takeRecords()); observer.disconnect(); return { frames, tasks } } };
	})(), 0`, nil)
	begin := time.Now()
	work()
	if rest := d - time.Since(begin); rest > 0 {
		time.Sleep(rest)
	}
	p.Eval(`recording.stop()`, &f)
	if len(f.Frames) == 0 {
		p.T.Fatal("the page has no frames")
	}
	slices.Sort(f.Frames)
	slices.Sort(f.Tasks)
	return f
}

// Median returns the median duration of a frame.
func (f Frames) Median() float64 { return f.Frames[len(f.Frames)/2] }

// Longest returns the duration of the longest frame.
func (f Frames) Longest() float64 { return f.Frames[len(f.Frames)-1] }

// String returns the figures for the log of a test. A duration never decides a test.
func (f Frames) String() string {
	total := 0.0
	for _, d := range f.Frames {
		total += d
	}
	task := 0.0
	if n := len(f.Tasks); n > 0 {
		task = f.Tasks[n-1]
	}
	return fmt.Sprintf("%d frames in %.1f s: median %.1f ms (%.0f/s), 99 %% at most %.1f ms, longest %.1f ms; %d tasks above 50 ms, longest %.1f ms",
		len(f.Frames), total/1000, f.Median(), 1000/f.Median(), f.Frames[len(f.Frames)*99/100], f.Longest(), len(f.Tasks), task)
}
