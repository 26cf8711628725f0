package rules

import (
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// TestPods follows the new credential to two pods: one that has it and takes it, and
// one to which it never comes.
func TestPods(t *testing.T) {
	at := func(s float64) history.Offset { return history.Offset(s * float64(time.Second)) }
	pod := func(s float64, name, what, credential, detail string) history.Event {
		return history.Event{At: at(s), Kind: history.KindPod, Service: "search", Replica: name, What: what, Credential: credential, Detail: detail}
	}
	probe := func(s float64, name, credential string, o history.Outcome) history.Event {
		return history.Event{At: at(s), Kind: history.KindProbe, Service: "search", Credential: credential, Probe: &history.Probe{Outcome: o, Replica: name}}
	}
	step := func(s float64, name, credential string) history.Event {
		return history.Event{At: at(s), Kind: history.KindStep, Step: name, Credential: credential}
	}
	e := &judging{Evidence: &evidence.Evidence{Fresh: "k2", Old: "k1", End: at(200), Events: []history.Event{
		pod(1, "search-a", history.PodCame, "", "on n1"), pod(1, "search-b", history.PodCame, "", "on n1"),
		{At: at(10), Kind: history.KindPod, Service: "secret/keys", What: history.PodWritten, Credential: "k2"},
		pod(62, "search-a", history.PodSaw, "k2", ""),
		pod(63, "search-b", history.PodUnseen, "k2", "its kubelet did not bring it within 4m0s"),
		probe(70, "search-a", "k2", history.OK), probe(70, "search-b", "k2", history.AuthFailure), probe(71, "search-b", "k2", history.AuthFailure),
		probe(72, "10.0.0.9", "k2", history.OK),
		step(100, "revoke", "k1"),
		probe(101, "search-a", "k1", history.AuthFailure), probe(102, "search-a", "k1", history.OK), probe(105, "search-a", "k1", history.AuthFailure),
		probe(106, "search-b", "k1", history.OK),
		pod(150, "search-b", history.PodWent, "", ""),
	}}}
	got := e.pods()
	want := []judge.PodReport{
		{Service: "search", Pod: "search-a", CameMS: 1000, WentMS: -1, SawAfterMS: 52000, TookAfterMS: 60000, ForgotAfterMS: 5000},
		{Service: "search", Pod: "search-b", CameMS: 1000, WentMS: 150000, SawAfterMS: -1, SeenWhy: "its kubelet did not bring it within 4m0s", TookAfterMS: -1, RefusedNew: 2, ForgotAfterMS: -1},
	}
	if len(got) != len(want) {
		t.Fatalf("%d pods, want %d: an address is none: %+v", len(got), len(want), got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("pod %d is\n%+v, want\n%+v", i, got[i], want[i])
		}
	}
}
