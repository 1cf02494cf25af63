package places

import (
	"testing"
	"time"
)

// silence is how long a place may say nothing.
const silence = time.Minute

// watch makes subtests of what the places report, in the order in which they run.
func (s *site) watch(t *testing.T, p *process, places ...string) {
	t.Helper()
	for _, place := range places {
		if !t.Run(place, func(t *testing.T) { s.watchPlace(t, p, place) }) && !s.done[place] {
			t.Fatalf("%s goes no further than %s", p.name, place)
		}
	}
}

func (s *site) watchPlace(t *testing.T, p *process, place string) {
	begin := time.Now()
	seen := map[string]bool{}
	for {
		r, ok := s.nextReport(p)
		switch {
		case !ok:
			t.Fatalf("%s has ended, or says nothing for %v; at last it said\n%s", p.name, silence, &p.output)
		case r.Fatal != "":
			t.Fatalf("%s: the suite does not run: %s", r.Place, r.Fatal)
		case r.Place != place:
			t.Fatalf("a report of %s, where %s is", r.Place, place)
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

// nextReport waits for one, as long as there is hope.
func (s *site) nextReport(p *process) (r report, ok bool) {
	select {
	case r = <-s.reports:
		return r, true
	case <-time.After(silence):
		return r, false
	case <-p.gone:
	}
	select {
	case r = <-s.reports: // what it said before it ended
		return r, true
	default:
		return r, false
	}
}
