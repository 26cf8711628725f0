package simulated

import (
	"slices"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

func TestBehaviourOfAValidator(t *testing.T) {
	for _, tt := range []struct {
		name      string
		validator plan.Validator
		want      Behaviour
	}{
		{"go-oidc", plan.Validator{Library: "go-oidc"}, Behaviour{OnMiss: true}},
		{"keyfunc", plan.Validator{Library: "keyfunc"}, Behaviour{Refresh: time.Hour, OnMiss: true, Cooldown: 5 * time.Minute}},
		{"jwx", plan.Validator{Library: "jwx"}, Behaviour{Refresh: 15 * time.Minute}},
		{"jwx, of which the page claims more", plan.Validator{Library: "jwx", Learns: time.Minute}, Behaviour{Refresh: 15 * time.Minute}},
		{"single key", plan.Validator{Library: "single-key"}, Behaviour{Refresh: 5 * time.Minute, Keys: 1}},
		{"static", plan.Validator{Library: "static"}, Behaviour{}},
		{"of the page", plan.Validator{Learns: 10 * time.Minute, Forgets: time.Hour}, Behaviour{Refresh: 10 * time.Minute}},
		{"of the page, at once", plan.Validator{Forgets: time.Hour}, Behaviour{Refresh: time.Hour, OnMiss: true}},
		{"of nobody", plan.Validator{Learns: runbook.Forever, Forgets: runbook.Forever}, Behaviour{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := behaviour(tt.validator); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestValidatorLearns(t *testing.T) {
	const accept, emit = 4 * time.Second, 6 * time.Second
	acts := []act{{accept, keyring.Accept, "k2"}, {emit, keyring.Emit, "k2"}}
	for _, tt := range []struct {
		name      string
		behaviour Behaviour
		holds     []string      // at the end
		most      time.Duration // from the accept to learning k2; 0: never
		failures  bool
	}{
		{"by expiry, in time", Behaviour{Refresh: 30 * time.Second}, []string{"k2", "k1"}, 2 * time.Second, false},
		{"by expiry, late", Behaviour{Refresh: 30 * time.Minute}, []string{"k2", "k1"}, 30 * time.Second, true},
		{"when it meets it", Behaviour{OnMiss: true}, []string{"k2", "k1"}, 8 * time.Second, false},
		{"never", Behaviour{}, []string{"k1"}, 0, true},
		{"one at a time", Behaviour{Refresh: 2 * time.Minute, Keys: 1}, []string{"k2"}, 6 * time.Second, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := live(t, planned(t), Options{Validators: map[string]Behaviour{"search": tt.behaviour}}, 60*time.Second, acts...)
			fetched := of(h, history.KindFetched, "search")
			if got := fetched[len(fetched)-1].Holds; !slices.Equal(got, tt.holds) {
				t.Errorf("holds at the end: got %v, want %v", got, tt.holds)
			}
			learned := of(h, history.KindLearned, "search")
			switch last := learned[len(learned)-1]; {
			case tt.most == 0 && len(learned) > 1:
				t.Errorf("learned: got %+v, want k1 only", learned)
			case tt.most > 0 && (last.Credential != "k2" || last.At.Duration() > accept+tt.most):
				t.Errorf("learned last: got %s at %s, want k2 by %s", last.Credential, last.At.Wall(), accept+tt.most)
			}
			if got := sum(h, "app", 0).AuthFailures; (got > 0) != tt.failures {
				t.Errorf("auth failures: got %d, want some: %t", got, tt.failures)
			}
		})
	}
}

// TestCooldown has a validator that was made to fetch just before the new
// credential is published: it refuses it until it may fetch again.
func TestCooldown(t *testing.T) {
	p := planned(t)
	cooling := Options{Validators: map[string]Behaviour{"search": {OnMiss: true, Cooldown: 20 * time.Minute}}}
	acts := []act{{3 * time.Second, keyring.Accept, "k2"}, {3 * time.Second, keyring.Emit, "k2"}, {12 * time.Second, keyring.Accept, "k3"}, {12 * time.Second, keyring.Emit, "k3"}}
	h := live(t, p, cooling, 60*time.Second, acts...)
	var misses []history.Offset
	for _, e := range of(h, history.KindFetched, "search")[1:] {
		misses = append(misses, e.At)
	}
	if len(misses) != 2 || misses[1]-misses[0] < history.Offset(20*time.Second) {
		t.Errorf("fetches because of unknown credentials: got at %v, want two, at least 20s apart", misses)
	}
	if sum(h, "app", 0).AuthFailures == 0 {
		t.Error("auth failures while it cools down: got none, want some")
	}
}

func TestValidatorDown(t *testing.T) {
	down := map[string]Span{"search": {From: Moment{After: 2 * time.Second}, For: 3 * time.Second}}
	h := live(t, planned(t), Options{Down: down}, 10*time.Second)
	c := sum(h, "app", 0)
	if want := int64(60); c.Unavailable < want-1 || c.Unavailable > want+1 || c.AuthFailures != 0 {
		t.Errorf("app: got %d unavailable and %d refused, want %d and none", c.Unavailable, c.AuthFailures, want)
	}
	if c.Statuses["refused"] != c.Unavailable {
		t.Errorf("statuses: got %v, want %d refused connections", c.Statuses, c.Unavailable)
	}
	if got := sum(h, "web", 0).Unavailable; got != 0 {
		t.Errorf("web: got %d unavailable, want none", got)
	}
	var stages []string
	for _, e := range h.Events {
		if e.Kind == history.KindFault {
			stages = append(stages, e.Fault.Stage)
		}
	}
	if want := []string{"injected", "evidence", "undone"}; !slices.Equal(stages, want) {
		t.Errorf("stages: got %v, want %v", stages, want)
	}
}
