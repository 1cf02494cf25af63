package devices

import "testing"

// After close(), the client keeps no shadow, no jobs and no presence alive, and the page has as many event
// listeners as before. The signal that the page passes to all calls outlives them.
func TestNothingLeaks(t *testing.T) {
	run(t, func(t *testing.T, s *scene) {
		b := s.openReady("leak")
		if err := s.settings.CreateThing("leak"); err != nil {
			t.Fatal(err)
		}
		b.Eval(`await use(5)`, nil)
		first := b.Metric("JSEventListeners")
		b.Eval(`globalThis.used = use(20); 0`, nil)
		s.disturb(func() {})
		b.Eval(`await used; await use(20)`, nil)
		b.Is(`iot.stats().subscriptions`, `0`)
		if last := b.Metric("JSEventListeners"); last > first {
			t.Errorf("the page has %v event listeners, at first %v", last, first)
		}
		b.Eval(`await iot.publish("leak/end", "", { qos: 1 })`, nil) // the broker has then answered the requests that close() has sent
		// A reference is valid until the end of the task that created it.
		b.CollectGarbage()
		b.Is(`[refs.length, refs.filter((r) => r.deref()).length]`, `[135,0]`)
	})
}
