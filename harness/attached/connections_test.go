package attached

import (
	"context"
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// listed is a connection to a server that has others.
type listed struct{ found []peerConnection }

func (listed) served(context.Context) error                       { return nil }
func (listed) end(context.Context)                                {}
func (l listed) others(context.Context) ([]peerConnection, error) { return l.found, nil }

// TestConnectionsThatWereThere: what was connected before logs are followed counts as let in, and what has
// no name and is not used before its credential is revoked is known as idle.
func TestConnectionsThatWereThere(t *testing.T) {
	dsn := "postgres://{{ .identifier }}:{{ .value }}@db.example/shop"
	s := &System{
		plan:        &plan.Plan{Runbook: runbook.Runbook{Consumers: []runbook.Consumer{{Name: "shop", Roles: []runbook.Role{runbook.Emits}}}}},
		attach:      &scenario.Attach{Present: map[string]scenario.Present{"db": {DSN: dsn}}},
		identifiers: map[string]string{"k1": "one"}, first: "k1", made: []string{"k1"}, sessions: map[session]connection{},
	}
	s.seen = newDecisionReader(s)
	var got []string
	s.seen.tell = func(_ string, line []byte) {
		l, _ := history.ParseLine(line)
		got = append(got, l.Presenter+" "+l.Identifier)
	}
	s.seen.record = func(e history.Event) { got = append(got, e.Service+" emits "+e.Identifier+" "+e.What) }
	found := []peerConnection{{"7", "shop", 12}, {"8", "", 0}, {"9", "nightly", 12}, {"10", aMariaDBReplica, 0}}
	s.theirs("db", "secret", found)
	s.theirs("db", "secret", found) // they are told of once
	want := []string{"shop one", "shop emits one " + history.ByNoName, "shop one", "nightly one", "nightly emits one ", aMariaDBReplica + " one", aMariaDBReplica + " emits one "}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	s.sessions[session{"db", "k1"}] = listed{found}
	s.lookAtOthers(t.Context(), "k1")
	for process, want := range map[string]bool{"7": true, "8": false, "9": false} {
		if l := s.seen.sessions["db "+process]; l == nil || l.idle != want {
			t.Errorf("process %s: got %+v, want idle %t", process, l, want)
		}
	}
}
