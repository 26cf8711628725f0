package rules_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// says adds a kind of line of search's own log.
func says(text string, first, last float64, count int64) change {
	return func(s *story) {
		for i := range s.events {
			if e := &s.events[i]; e.Kind == history.KindSaid {
				e.Said = append(e.Said, history.SaidLine{Text: text, First: at(first), Last: at(last), Count: count})
				return
			}
		}
		s.add(history.Event{At: at(61), Kind: history.KindSaid, Service: "search",
			Said: []history.SaidLine{{Text: text, First: at(first), Last: at(last), Count: count}}})
	}
}

// TestItsLog: beside what was found stands what the party itself began to write
// then; where nothing was found, what it wrote meanwhile. What it wrote before, or
// after the end, is no reason.
func TestItsLog(t *testing.T) {
	t.Parallel()
	unknown := refuse("app", "k2", 45, 46, 10)
	known := []change{early(5), searchLearns(24.5), refuse("app", "k2", 15, 24.5, 10)}
	for _, tt := range []struct {
		name    string
		changes []change
		want    string // "" : nothing of its log
	}{
		{"no reason found, and it tells one", []change{unknown, says("refused: wrong audience", 45.1, 45.9, 100)},
			`; the log of search says since then: "refused: wrong audience" (100 times)`},
		{"the most frequent first", []change{unknown, says("once", 45.1, 45.1, 1), says("refused: wrong audience", 45.1, 45.9, 100)},
			`"refused: wrong audience" (100 times), "once"`},
		{"no reason found, and only what it always writes", []change{unknown, says("GET / 200", 1, 60, 900)}, `says meanwhile: "GET / 200" (900 times)`},
		{"what it wrote long before", []change{unknown, says("ready", 1, 1, 1)}, ""},
		{"what it wrote after the end", []change{unknown, says("stopped", 60.7, 60.7, 1)}, ""},
		{"beside a cause that was found", append([]change{says("refused: no such kid", 15.4, 24, 90)}, known...), `says since then: "refused: no such kid" (90 times)`},
		{"a long one beside a cause", append([]change{says("refused 401 jwt.Parse: failed to parse token: "+strings.Repeat("jws.Verify: signature: ", 9)+"failed to find key with key ID in key set\nmore", 15.4, 24, 90)}, known...),
			`"refused 401 jwt.Parse: failed to parse t … ify: signature: jws.Verify: signature: failed to find key with key ID in key set" (90 times)`},
		{"what it always writes, beside a cause", append([]change{says("GET / 401", 1, 60, 900)}, known...), ""},
		{"what it began to write when that was over", append([]change{says("refused: no such kid", 24.4, 50, 90)}, known...), ""},
		{"it tells nothing", []change{unknown}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			got := failing(v)[0].Message
			if has := strings.Contains(got, "the log of search says"); has != (tt.want != "") || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want it to say %q of its log", got, tt.want)
			}
		})
	}
}

// TestLogOfWhomItPresentsTo: where a service that failed its callers wrote nothing itself,
// what whom it presents its credential to began to write then is told.
func TestLogOfWhomItPresentsTo(t *testing.T) {
	t.Parallel()
	line := func(text string, first float64) change {
		return add(history.Event{At: at(61), Kind: history.KindSaid, Service: "provider", Said: []history.SaidLine{{Text: text, First: at(first), Last: at(60), Count: 90}}})
	}
	bad := func(s *story) {
		unavailable("app", 45, 61)(s)
		s.buckets("app", "", 45, 61, func(_ history.Offset, c *history.Counts) { c.Statuses = map[string]int64{"502": c.Attempts} })
	}
	for _, tt := range []struct {
		name    string
		changes []change
		want    bool
	}{
		{"it began then", []change{atTheAuthority, bad, line("POST /charges key=k2 402", 45.1)}, true},
		{"it always says so", []change{atTheAuthority, bad, line("POST /charges key=k2 402", 1)}, false},
		{"it tells itself", []change{atTheAuthority, bad, says("payments: 402", 45.1, 60, 9), line("POST /charges key=k2 402", 45.1)}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := failing(judged(t, tt.changes...))[0].Message
			if strings.Contains(got, `the log of provider says since then: "POST /charges key=k2 402" (90 times)`) != tt.want {
				t.Errorf("got %q; is the log of provider to be told: %v", got, tt.want)
			}
		})
	}
}

// TestHowToTime: a pass that nobody timed says what would, where there is something.
func TestHowToTime(t *testing.T) {
	t.Parallel()
	blind := func(reads bool) change {
		return limit(func(l *plan.Limits) { l.Validators[1].Blind, l.Validators[1].Reads = true, reads })
	}
	for reads, says := range map[bool]bool{false: true, true: false} {
		v := judged(t, blind(reads))
		if !strings.Contains(v.Why, "no log says when search fetches what is published") || strings.Contains(v.Why, "serve: relay, of: auth") != says {
			t.Errorf("of one that reads the secret itself %v: got %q", reads, v.Why)
		}
	}
}
