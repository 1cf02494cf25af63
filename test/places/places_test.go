package places

import (
	"testing"
	"time"

	"iot.wasm/test/harness"
)

// silence is how long a place may send no report.
const silence = time.Minute

// watch runs a subtest for each place. The places run in this order.
func (s *site) watch(t *testing.T, p *harness.Process, places ...string) {
	t.Helper()
	for _, place := range places {
		if !t.Run(place, func(t *testing.T) { s.watchPlace(t, p, place) }) && !s.done[place] {
			t.Fatalf("%s has not finished the suite in %s", p.Name, place)
		}
	}
}

// watchPlace runs a subtest for each report of a place, until the suite has ended there.
func (s *site) watchPlace(t *testing.T, p *harness.Process, place string) {
	begin := time.Now()
	seen := map[string]bool{}
	for {
		r, ok := s.nextReport(p)
		switch {
		case !ok:
			t.Fatalf("%s has ended or has sent no report for %v; the end of its output is\n%s", p.Name, silence, &p.Output)
		case r.Fatal != "":
			t.Fatalf("%s: the suite cannot run: %s", r.Place, r.Fatal)
		case r.Place != place:
			t.Fatalf("the report is from %s, want %s", r.Place, place)
		case r.End:
			s.done[place] = true
			if len(seen) != r.Tests || r.Tests == 0 {
				t.Errorf("%d of %d tests were reported", len(seen), r.Tests)
			}
			t.Logf("%d tests in %.1f s", r.Tests, time.Since(begin).Seconds())
			return
		}
		seen[r.Test] = true
		t.Run(r.Test, func(t *testing.T) {
			t.Logf("%.0f ms", r.Ms)
			if r.Error != "" {
				t.Error(r.Error)
			}
		})
	}
}

// nextReport waits for a report. It returns false if the program ends or sends no report
// for too long.
func (s *site) nextReport(p *harness.Process) (r report, ok bool) {
	select {
	case r = <-s.reports:
		return r, true
	case <-time.After(silence):
		return r, false
	case <-p.Ended:
	}
	select {
	case r = <-s.reports: // sent before the program ended
		return r, true
	default:
		return r, false
	}
}
