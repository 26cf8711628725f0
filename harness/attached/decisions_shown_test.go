package attached

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// TestOwnPresentationsWithoutAName: where the log of a validator has nobody's name, what the
// harness presented itself is not blamed on who presents; and each presentation is told of once.
func TestOwnPresentationsWithoutAName(t *testing.T) {
	for _, tt := range []struct {
		name  string
		shown int           // presentations of the harness
		as    string        // under which name
		ago   time.Duration // before the lines
		line  string
		want  []string

		answered history.Outcome // the presentations; empty: they are under way
	}{
		{"one of three was its own", 1, "old", time.Second, "key=old 401", []string{"shop old refused", "shop old refused"}, ""},
		{"all were", 3, "old", time.Second, "key=old 401", nil, history.AuthFailure},
		{"all were taken, and the lines refuse", 3, "old", time.Second, "key=old 401", []string{"shop old refused", "shop old refused", "shop old refused"}, history.OK},
		{"long ago", 3, "old", time.Minute, "key=old 401", []string{"shop old refused", "shop old refused", "shop old refused"}, ""},
		{"of another", 3, "old", time.Second, "key=new 200", []string{"shop new accepted", "shop new accepted", "shop new accepted"}, ""},
		{"the log has names", 3, "old", time.Second, "agent=shop key=old 401", []string{"shop old refused", "shop old refused", "shop old refused"}, ""},
		{"what nobody gave, by another name", 1, noName, time.Second, "key=odd 401", []string{"shop  refused", "shop  refused"}, ""},
	} {
		told := scenario.Decisions{Accepted: `(agent=(?P<presenter>\S+) )?key=(?P<identifier>\S+) 200`, Refused: `(agent=(?P<presenter>\S+) )?key=(?P<identifier>\S+) 401`}
		s := &System{
			plan: &plan.Plan{
				Runbook:  runbook.Runbook{Consumers: []runbook.Consumer{{Name: "shop", Roles: []runbook.Role{runbook.Emits}}}},
				Services: []plan.Service{{Name: "shop"}},
			},
			attach:      &scenario.Attach{Present: map[string]scenario.Present{"bank": {Path: "/"}}, Decisions: map[string]scenario.Decisions{"bank": told}},
			identifiers: map[string]string{"k1": "old", "k2": "new"}, made: []string{"k1", "k2"},
		}
		s.seen = newDecisionReader(s)
		var got []string
		s.seen.record = func(history.Event) {}
		s.seen.tell = func(_ string, line []byte) {
			var l history.Line
			if err := json.Unmarshal(line, &l); err != nil {
				t.Errorf("told %s: %v", line, err)
			}
			got = append(got, l.Presenter+" "+l.Identifier+" "+l.Message)
		}
		for range tt.shown {
			s.seen.shows("bank", tt.as, time.Now().Add(-tt.ago))
			s.seen.answered("bank", tt.as, tt.answered)
		}
		for range 3 {
			s.seen.matched("bank", told, []byte(tt.line))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestLoginsOfAPoolerForAProbe: what a pooler logs in with for a probe of the harness, without
// a name, is nobody's use; what it logs in with otherwise is, and what has a name.
func TestLoginsOfAPoolerForAProbe(t *testing.T) {
	s := &System{
		plan:        &plan.Plan{Services: []plan.Service{{Name: "pgb"}, {Name: "db"}}},
		attach:      &scenario.Attach{Present: map[string]scenario.Present{"pgb": {DSN: "postgres://{{ .identifier }}@pgb"}, "db": {DSN: "postgres://{{ .identifier }}@db"}}},
		identifiers: map[string]string{"k1": "old", "k2": "new"}, made: []string{"k1", "k2"},
	}
	s.plan.Rehearsal.Services = map[string]scenario.Service{"pgb": {Of: "db"}}
	s.seen = newDecisionReader(s)
	s.shows("db", "k1") // that one has a name in the log
	done := s.shows("pgb", "k2")
	for _, tt := range []struct {
		line string
		want int // logins that are somebody's, so far
	}{
		{"[1] LOG:  connection authorized: user=new database=shop application_name=shop", 1},
		{"[2] LOG:  connection authorized: user=new database=shop", 1},
		{"[3] LOG:  connection authorized: user=new database=shop", 1}, // a pooler tries again
		{"[4] LOG:  connection authorized: user=old database=shop", 2},
	} {
		s.seen.postgres("db", tt.line)
		if got := len(s.seen.pending); got != tt.want {
			t.Errorf("%s: got %d logins, want %d", tt.line, got, tt.want)
		}
	}
	done()
	for when, want := range map[time.Duration]bool{0: true, isToldBehind: false} {
		if got := s.seen.isShownBehind(shown{"db", "new"}, time.Now().Add(when)); got != want {
			t.Errorf("%s after the probe: got %t, want %t", when, got, want)
		}
	}
}

// TestRefusalsOfAPoolerForAProbe: what a server refuses a pooler that logs in for a probe after the revoke is
// nobody's use of the old one, before a password is looked at or by it; what it is refused otherwise is.
func TestRefusalsOfAPoolerForAProbe(t *testing.T) {
	s := &System{
		plan:        &plan.Plan{Services: []plan.Service{{Name: "pgb"}, {Name: "db"}}},
		attach:      &scenario.Attach{Present: map[string]scenario.Present{"pgb": {DSN: "postgres://{{ .identifier }}@pgb"}, "db": {DSN: "postgres://{{ .identifier }}@db"}}},
		identifiers: map[string]string{"k1": "old"}, made: []string{"k1"},
	}
	s.plan.Rehearsal.Services = map[string]scenario.Service{"pgb": {Of: "db"}}
	s.seen = newDecisionReader(s)
	var got []string
	s.seen.record = func(history.Event) {}
	s.seen.tell = func(_ string, line []byte) {
		l, _ := history.ParseLine(line)
		got = append(got, l.Message+" "+l.Status)
	}
	for _, tt := range []struct {
		name  string
		shown bool
		lines []string
		want  []string
	}{
		{"a role with NOLOGIN, for a probe", true, []string{"[1] LOG:  connection authorized: user=old database=shop", `[1] FATAL:  role "old" is not permitted to log in`}, nil},
		{"a role with NOLOGIN, of somebody", false, []string{"[2] LOG:  connection authorized: user=old database=shop", `[2] FATAL:  role "old" is not permitted to log in`}, []string{"refused 28000"}},
		{"another password, for a probe", true, []string{`[3] FATAL:  password authentication failed for user "old"`}, nil},
		{"another password, of somebody", false, []string{`[4] FATAL:  password authentication failed for user "old"`}, []string{"refused 28P01"}},
		{"its session is ended, for a probe", true, []string{"[5] LOG:  connection authorized: user=old database=shop", "[5] FATAL:  terminating connection due to administrator command"}, nil},
	} {
		got = nil
		s.seen.behind = map[shown]*presentation{}
		if tt.shown {
			defer s.shows("pgb", "k1")()
		}
		for _, line := range tt.lines {
			s.seen.postgres("db", line)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
