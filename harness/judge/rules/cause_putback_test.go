package rules_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// database has search be one, at which app and nightly log in.
func database(s *story) {
	s.limits.Family = "database-password"
	s.limits.Validators = []plan.Validator{{Name: "search", OnPage: true, Authority: true}}
	s.traffic("nightly", "search")
	withoutProbes("search", history.NewAfter)(s)
}

// TestPutBack: a database that took the new password, and refuses it from everybody
// from some moment on, is told apart from one presenter whose value is wrong, from
// what was never taken, and from what the rotation took away itself.
func TestPutBack(t *testing.T) {
	t.Parallel()
	app, nightly := refuse("app", "k2", 45, 61, 10), refuse("nightly", "k2", 46, 61, 10)
	const everybody = "refused it from everybody (app, nightly) from"
	for _, tt := range []struct {
		name    string
		changes []change
		found   bool
		says    string
	}{
		{"refused from everybody", []change{database, app, nightly}, true, everybody},
		{"and the old one is let in", []change{database, app, nightly, add(probe(at(55), "search", "k1", history.OldAfter, history.OK))}, true, "let somebody in with k1 after that, at"},
		{"for some time", []change{database, refuse("app", "k2", 45, 50, 10), refuse("nightly", "k2", 46, 50, 10)}, true, everybody},
		{"from one, and from rehearse itself", []change{database, app, without(func(e history.Event) bool { return e.Counts != nil && e.Counts.Presenter == "nightly" }),
			add(probe(at(60), "search", "k2", history.NewAfter, history.AuthFailure))}, true, "(app, rehearse itself)"},
		{"from one, and from rehearse itself when the rotation had withdrawn it", []change{database, refuse("app", "k2", 45, 55, 10),
			without(func(e history.Event) bool {
				return e.Counts != nil && (e.Counts.Presenter == "nightly" || e.At > at(55.5))
			}),
			add(step(at(56), history.Watch, "withdraw", "k2"), probe(at(57), "search", "k2", history.Withdrawn, history.AuthFailure))}, false, ""},
		{"from one, while another is let in", []change{database, app}, false, ""},
		{"from one, and nobody else asked", []change{database, app, without(func(e history.Event) bool { return e.Counts != nil && e.Counts.Presenter == "nightly" })}, false, ""},
		{"a key, refused from everybody", []change{database, limit(func(l *plan.Limits) { l.Family = "api-key" }), app, nightly}, true, "or search let everybody in until then"},
		{"a key, by a step of some seconds that was to revoke the old one", []change{database, limit(func(l *plan.Limits) { l.Family = "api-key" }), longRevoke,
			refuse("app", "k2", 40.2, 61, 10), refuse("nightly", "k2", 40.3, 61, 10)}, false, "until the step revoke of k1"},
		{"now and then", []change{database, refuse("app", "k2", 45, 48, 10), refuse("app", "k2", 55, 58, 10), refuse("nightly", "k2", 46, 48, 10)}, false, ""},
		{"never taken", []change{database, refuse("app", "k2", 0, 61, 10), refuse("nightly", "k2", 0, 61, 10), withoutProbes("search", history.Canary)}, false, ""},
		{"withdrawn", []change{database, app, nightly, add(step(at(44.9), history.Watch, "withdraw", "k2"))}, false, ""},
		{"turned back where there is room for one", []change{database, app, nightly, limit(func(l *plan.Limits) { l.Validators[0].Keys = 1 }), add(step(at(44.9), history.Rollback, "restore", "k1"))}, false, ""},
		{"at a validator with a cache", []change{database, app, nightly, limit(func(l *plan.Limits) { l.Validators[0].Authority = false })}, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			seen := false
			for _, f := range judged(t, tt.changes...).Findings {
				if f.RuleID != "auth-failures-flat" || f.Credential != "k2" || f.Presenter != "app" {
					continue
				}
				seen = true
				if got := f.Cause == judge.CausePutBack; got != tt.found || !strings.Contains(f.Message, tt.says) {
					t.Errorf("got %+v, want that it was put back: %t, and that it says %q", f, tt.found, tt.says)
				}
				if tt.found && (f.Consumer != "search" || f.CausedBy != "put-back") {
					t.Errorf("got %s, caused by %s: want search, and no step", f.Consumer, f.CausedBy)
				}
			}
			if !seen {
				t.Error("got no finding of k2")
			}
		})
	}
}

// longRevoke has the step revoke take two seconds.
func longRevoke(s *story) {
	for i, e := range s.events {
		if e.Kind == history.KindStep && e.Step == "revoke" {
			s.events[i].Began = e.At - at(2)
		}
	}
}

// TestPutBackAfterTheRevoke: an authority to which somebody gave the old password back takes that again and
// refuses the new one: that is one finding, and nobody kept the old one.
func TestPutBackAfterTheRevoke(t *testing.T) {
	t.Parallel()
	var found []judge.Finding
	for _, f := range judged(t, database, still(0), replicas(46, 60.4, 1), asks(60.45, history.NewAfter, history.AuthFailure),
		refuse("app", "k2", 45, 61, 10), refuse("nightly", "k2", 45.2, 61, 10)).Findings {
		if f.RuleID == "revocation" {
			found = append(found, f)
		}
	}
	if len(found) != 1 || found[0].Credential != "k2" || found[0].Consumer != "search" || found[0].Cause != judge.CausePutBack {
		t.Errorf("got %+v, want that k2 is refused since k1 was put back", found)
	}
}
