package runbook

import "testing"

// FuzzDuration reads any text as a duration: what is taken is not negative, and
// is read to the same again from what it is written as.
func FuzzDuration(f *testing.F) {
	for _, seed := range []string{"0", "30s", "1h30m", "90d", "1d0.5h", "250ms", "36500d", "36500d1h", "1e9s", "-1s", "99999999999999999999h", "0.0000000001s"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var d, again Duration
		if d.UnmarshalText([]byte(text)) != nil {
			return
		}
		if d < 0 || d.Duration() > longest {
			t.Errorf("%q: got %s, want a length of time of at most a hundred years", text, d.Duration())
		}
		if d > 0 && d.Duration()%1e6 == 0 { // less than a millisecond has no unit in a file
			if err := again.UnmarshalText([]byte(d.String())); err != nil || again != d {
				t.Errorf("%q, written as %q: got %s, %v; want %s", text, d, again.Duration(), err, d.Duration())
			}
		}
	})
}
