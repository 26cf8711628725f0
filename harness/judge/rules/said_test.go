package rules_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
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
