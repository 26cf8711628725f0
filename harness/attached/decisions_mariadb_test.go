package attached

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// TestMariaDBSessionsEnded: the audit log tells of the end of a session, not of who ended it. All of a user within a
// moment, and ours with them, were ended by the server; what a client closes itself was not.
func TestMariaDBSessionsEnded(t *testing.T) {
	const dsn = "mysql://{{ .identifier }}:{{ .value }}@127.0.0.1:1/shop"
	line := func(user, session, event string) string {
		return "20261201 12:00:00,vm," + user + ",127.0.0.1," + session + ",0," + event + ",shop,,0"
	}
	in, out := func(user, session string) string { return line(user, session, "CONNECT") }, func(user, session string) string { return line(user, session, "DISCONNECT") }
	open := []string{in("shop_a", "5"), in("shop_a", "6"), in("shop_a", "9"), in("shop_b", "7")} // 9 is ours
	for _, tt := range []struct {
		name  string
		held  bool
		idle  string   // a session that was idle before the revoke
		then  []string // a moment after all of them were let in
		later []string // when those are settled
		want  []string
	}{
		{"the server ended them", true, "", []string{out("shop_a", "9"), out("shop_a", "5"), out("shop_a", "6")}, nil, []string{"shop shop_a ", "shop shop_a "}},
		{"one was idle", true, "5", []string{out("shop_a", "5"), out("shop_a", "9"), out("shop_a", "6")}, nil, []string{"shop shop_a idle", "shop shop_a "}},
		{"one that is made anew", true, "", []string{out("shop_a", "9"), out("shop_a", "5"), out("shop_a", "6"), in("shop_a", "11")}, nil, []string{"shop shop_a ", "shop shop_a "}},
		{"one had come just then, and went", true, "", []string{in("shop_a", "10"), out("shop_a", "10"), out("shop_a", "9"), out("shop_a", "5"), out("shop_a", "6")}, nil, []string{"shop shop_a ", "shop shop_a "}},
		{"their clients closed them", true, "", []string{out("shop_a", "5"), out("shop_a", "6")}, nil, nil},
		{"their clients closed them, and ours was ended later", true, "", []string{out("shop_a", "5"), out("shop_a", "6")}, []string{out("shop_a", "9")}, nil},
		{"ours went alone", true, "", []string{out("shop_a", "9"), out("shop_a", "5")}, nil, nil},
		{"of a user of whom none is held", false, "", []string{out("shop_a", "9"), out("shop_a", "5"), out("shop_a", "6")}, nil, nil},
		{"of another user", true, "", []string{out("shop_b", "7")}, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := attachedShop("db", dsn, scenario.MariaDBDecisions)
			d := newDecisionReader(s)
			s.seen = d
			d.owns(sessionAt(dsn, "9"))
			if tt.held {
				d.holds("db", "shop_a")
			}
			var ended []string
			d.record = func(history.Event) {}
			d.tell = func(_ string, raw []byte) {
				var l history.Line
				if err := json.Unmarshal(raw, &l); err != nil {
					t.Errorf("told %s: %v", raw, err)
				}
				if l.Message == string(history.KindEnded) {
					ended = append(ended, fmt.Sprintf("%s %s %s", l.Presenter, l.Identifier, l.What))
				}
			}
			lines := func(all []string) {
				for _, raw := range all {
					d.line("db", []byte(raw))
				}
			}
			lines(open)
			d.settle(time.Now().Add(settles))
			for _, l := range d.sessions { // all were let in long before
				l.at, l.idle = l.at.Add(-time.Minute), l.process == tt.idle
			}
			lines(tt.then)
			if tt.later != nil {
				d.settle(time.Now().Add(settles))
				lines(tt.later)
			}
			if d.settle(time.Now()); len(ended) > 0 {
				t.Errorf("told %q at once, before it is seen who stays", ended)
			}
			d.settle(time.Now().Add(2 * settles))
			if !slices.Equal(ended, tt.want) {
				t.Errorf("ended: got %q, want %q", ended, tt.want)
			}
			if d.settle(time.Now().Add(4 * settles)); len(d.left) > 0 || len(ended) != len(tt.want) {
				t.Errorf("afterwards: got %q, and %d that are not settled, want nothing more", ended, len(d.left))
			}
		})
	}
}

// TestMariaDBFailuresAfterOurOwnLogin: a login of the run itself that was let in explains no failure in the log; one that
// was not explains one.
func TestMariaDBFailuresAfterOurOwnLogin(t *testing.T) {
	for _, tt := range []struct {
		name  string
		letIn bool
		want  int // told of two lines
	}{{"let in", true, 2}, {"not let in", false, 1}} {
		s := attachedShop("db", "mysql://{{ .identifier }}:{{ .value }}@127.0.0.1:1/shop", scenario.MariaDBDecisions)
		d := newDecisionReader(s)
		s.seen = d
		told := 0
		d.record, d.tell = func(history.Event) {}, func(_ string, raw []byte) {
			var l history.Line
			if err := json.Unmarshal(raw, &l); err == nil && l.Message == history.MessageUndecided && l.Status == "1226" {
				told++
			}
		}
		s.shows("db", "k2")()
		if tt.letIn {
			s.wasLetIn("db", "k2", time.Now())
		}
		for range 2 {
			d.line("db", []byte("20261201 12:00:00,vm,shop_b,127.0.0.1,9,0,FAILED_CONNECT,,,1226"))
		}
		if told != tt.want {
			t.Errorf("%s: told of %d of two failed logins, want %d", tt.name, told, tt.want)
		}
	}
}
