package attached

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// TestDated has the times of logs in their formats, and those that are not believed.
func TestDated(t *testing.T) {
	t.Parallel()
	read := time.Date(2026, 12, 1, 8, 0, 30, 500_000_000, time.UTC)
	for text, want := range map[string]string{
		"":                                 "08:00:30.5",
		"1796112020":                       "08:00:20.999999999", // as late as whole seconds allow
		"1796112020.250":                   "08:00:20.250999999",
		"1796112020,25":                    "08:00:20.259999999",
		"1796112020250":                    "08:00:20.250999999",
		"1796112020250123":                 "08:00:20.250123999",
		"1796112020250123456":              "08:00:20.250123456",
		"2026-12-01T08:00:20.250Z":         "08:00:20.250999999",
		"2026-12-01T08:00:20Z":             "08:00:20.999999999",
		"2026-12-01T10:00:20.1+02:00":      "08:00:20.199999999",
		"2026-12-01 08:00:20.250 +0000":    "08:00:20.250999999",
		"[01/Dec/2026:09:00:20 +0100]":     "08:00:20.999999999",
		"2026-12-01T08:00:30Z":             "08:00:30.5", // not later than it was read
		"2026-12-01T08:00:31.2Z":           "08:00:30.5",
		"2026-12-01T07:59:29Z":             "it is 1m2s before the line was read",
		"2026-12-01T08:00:20.250+02:00":    "it is 2h0m10s before the line was read",
		"2026-12-01T08:00:42Z":             "it is 12s after the line was read",
		"Dec  1 08:00:20":                  "it is none of epoch seconds",
		"08:00:20":                         "it is none of epoch seconds",
		"17961120":                         "it is none of epoch seconds",
		"01/Dec/2026:99:00:20 +0100":       "it is none of epoch seconds",
		"99999999999999999999999999999999": "it is none of epoch seconds",
	} {
		at, err := dated(text, read)
		got := at.UTC().Format("15:04:05.999999999")
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, want) || err != nil && !at.Equal(read) {
			t.Errorf("%q: got %s at %s, want %s", text, got, at, want)
		}
	}
	local := time.Now().Truncate(time.Millisecond)
	if at, err := dated(local.Format("2006-01-02 15:04:05,000"), local.Add(time.Second)); err != nil || at.Sub(local) >= time.Millisecond || at.Before(local) {
		t.Errorf("a time without a zone: got %s, %v; want %s", at, err, local)
	}
}

// TestDecisionsAreDatedByTheirLines: a log that is written in bulk tells when it was decided; what it tells of the time
// before the logs were opened is none of this rotation.
func TestDecisionsAreDatedByTheirLines(t *testing.T) {
	t.Parallel()
	told := scenario.Decisions{
		Accepted: `^((?P<time>\S+) )?key=(?P<identifier>\S+) (agent=(?P<presenter>\S+) )?200`, Refused: `^((?P<time>\S+) )?key=(?P<identifier>\S+) (agent=(?P<presenter>\S+) )?401`,
	}
	now := time.Now()
	ago := func(d time.Duration) string { return now.Add(-d).UTC().Format(time.RFC3339Nano) }
	for _, tt := range []struct {
		name, line string
		want       []string // message and how long ago, in whole seconds
		unseen     bool
	}{
		{"4s ago", ago(4*time.Second) + " key=old agent=shop 401", []string{"refused 4"}, false},
		{"without a time", "key=old agent=shop 401", []string{"refused 0"}, false},
		{"before the logs were opened", ago(30*time.Second) + " key=old agent=shop 401", nil, false},
		{"by another clock", ago(time.Hour) + " key=old agent=shop 401", []string{"refused 0"}, true},
		{"in no format", "today key=old agent=shop 200", []string{"accepted 0"}, true},
		{"what the harness showed then", ago(9*time.Second) + " key=old 200", nil, false},
		{"what somebody showed later", ago(4*time.Second) + " key=old 200", []string{"accepted 4"}, false},
	} {
		s := &System{
			plan: &plan.Plan{
				Runbook:  runbook.Runbook{Consumers: []runbook.Consumer{{Name: "shop", Roles: []runbook.Role{runbook.Emits}}}},
				Services: []plan.Service{{Name: "shop"}},
			},
			attach:      &scenario.Attach{Present: map[string]scenario.Present{"bank": {Path: "/"}}, Decisions: map[string]scenario.Decisions{"bank": told}},
			identifiers: map[string]string{"k1": "old", "k2": "new"}, made: []string{"k1", "k2"},
		}
		s.seen = newDecisionReader(s)
		s.seen.began = now.Add(-20 * time.Second)
		unseen := 0
		s.seen.record = func(e history.Event) {
			if e.Kind == history.KindUnseen {
				unseen++
			}
		}
		var got []string
		s.seen.tell = func(_ string, line []byte) {
			var l history.Line
			if err := json.Unmarshal(line, &l); err != nil {
				t.Errorf("told %s: %v", line, err)
			}
			got = append(got, l.Message+" "+now.Sub(l.Time).Round(time.Second).String()[:1])
		}
		s.seen.shows("bank", "old", now.Add(-10*time.Second))
		s.seen.shows("bank", "new", now)
		s.seen.matched("bank", told, []byte(tt.line))
		if !slices.Equal(got, tt.want) || (unseen == 1) != tt.unseen {
			t.Errorf("%s: told %q, and %d times that the log's time is not believed; want %q, %v", tt.name, got, unseen, tt.want, tt.unseen)
		}
	}
}
