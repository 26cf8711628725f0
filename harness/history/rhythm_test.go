package history

import (
	"slices"
	"testing"
)

func TestRhythm(t *testing.T) {
	fetch := func(at Offset) Event { return Event{At: at * ms, Kind: KindFetched, Service: "search"} }
	read := func(at Offset) Event {
		return Event{At: at * ms, Kind: KindRead, Service: Store, Reader: "search", What: "secret/data/auth/key"}
	}
	fault := func(at Offset, stage string) Event {
		return Event{At: at * ms, Kind: KindFault, Fault: &Fault{Kind: "pause", Target: "search", Stage: stage}}
	}
	// polled is so many gaps of 1 ms, of which those with these numbers last 6 ms.
	polled := func(gaps int, late ...int) []Event {
		at := Offset(0)
		events := []Event{fetch(0)}
		for i := range gaps {
			at++
			if slices.Contains(late, i) {
				at += 5
			}
			events = append(events, fetch(at))
		}
		return events
	}
	var soon []Event
	for i := range Offset(20) {
		soon = append(soon, fetch(240+2*i))
	}
	for _, tt := range []struct {
		name         string
		events       []Event
		pause, since Gap
	}{
		{"shown the revoked one, it fetches for that", slices.Concat([]Event{fetch(0), fetch(120), {At: 130 * ms, Kind: KindStep, Step: "revoke", Credential: "k1"}}, soon), Gap{0, 120 * ms}, Gap{278 * ms, 278 * ms}},
		{"it polls after the revoke as before", slices.Concat(polled(10), []Event{{At: 10 * ms, Kind: KindStep, Step: "revoke", Credential: "k1"}, fetch(16), fetch(17), fetch(18)}), Gap{0, 1 * ms}, Gap{18 * ms, 18 * ms}},
		{"never", nil, Gap{}, Gap{}},
		{"once", []Event{fetch(1)}, Gap{}, Gap{1 * ms, 1 * ms}},
		{"twice", []Event{fetch(1), fetch(11)}, Gap{1 * ms, 11 * ms}, Gap{11 * ms, 11 * ms}},
		{"the longest of few", []Event{fetch(0), fetch(10), fetch(15)}, Gap{0, 10 * ms}, Gap{15 * ms, 15 * ms}},
		{"the second of many", []Event{fetch(0), fetch(10), fetch(15), fetch(21), fetch(26)}, Gap{15 * ms, 21 * ms}, Gap{26 * ms, 26 * ms}},
		{"jitter", []Event{fetch(0), fetch(6), fetch(20), fetch(31), fetch(38), fetch(47), fetch(55)}, Gap{6 * ms, 20 * ms}, Gap{55 * ms, 55 * ms}},
		{"an accident beside jitter", []Event{fetch(0), fetch(6), fetch(46), fetch(57), fetch(64), fetch(73), fetch(81)}, Gap{46 * ms, 57 * ms}, Gap{81 * ms, 81 * ms}},
		{"an accident on a machine that is pressed", []Event{fetch(0), fetch(100), fetch(202), fetch(305), fetch(415), fetch(575)}, Gap{305 * ms, 415 * ms}, Gap{575 * ms, 575 * ms}},
		{"two accidents of sixteen", polled(16, 3, 9), Gap{0, 1 * ms}, Gap{26 * ms, 26 * ms}},
		{"a poll in five is late", polled(20, 3, 8, 13, 18), Gap{23 * ms, 29 * ms}, Gap{40 * ms, 40 * ms}},
		{"in vain", []Event{fetch(0), {At: 4 * ms, Kind: KindFetchFailed, Service: "search"}, fetch(7)}, Gap{0, 4 * ms}, Gap{7 * ms, 7 * ms}},
		{"with a fault in between", []Event{fetch(0), fault(3, FaultInjected), fault(5, FaultUndone), fetch(20), fetch(23)}, Gap{20 * ms, 23 * ms}, Gap{23 * ms, 23 * ms}},
		{"under a fault", []Event{fetch(0), fault(3, FaultInjected), fetch(20), {At: 30 * ms, Kind: KindLoaded}}, Gap{}, Gap{}},
		{"it was away", []Event{fetch(0), {At: 4 * ms, Kind: KindExit, Service: "search"}, {At: 9 * ms, Kind: KindLoaded}}, Gap{}, Gap{}},
		{"and came back", []Event{fetch(0), {At: 4 * ms, Kind: KindExit, Service: "search"}, fetch(9), fetch(12)}, Gap{9 * ms, 12 * ms}, Gap{12 * ms, 12 * ms}},
		{"by its reads at the store", []Event{read(0), read(10), read(15)}, Gap{0, 10 * ms}, Gap{15 * ms, 15 * ms}},
		{"by its own word, where it gives it", []Event{fetch(0), read(4), fetch(10)}, Gap{0, 10 * ms}, Gap{10 * ms, 10 * ms}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := viewOf(tt.events...)
			if got := v.Pause("search"); got != tt.pause {
				t.Errorf("pause: got %v, want %v", got, tt.pause)
			}
			if got := v.Since("search"); got != tt.since {
				t.Errorf("since the last: got %v, want %v", got, tt.since)
			}
		})
	}
}

func TestTaughtByAProbe(t *testing.T) {
	canary := Event{At: 900 * ms, Kind: KindProbe, Service: "search", Credential: "k2", Probe: &Probe{Outcome: OK, CausedFetch: true, Latency: 10 * ms}}
	refused := canary
	refused.Probe = &Probe{Outcome: AuthFailure, CausedFetch: true, Latency: 10 * ms}
	had := Event{At: 100 * ms, Kind: KindLearned, Service: "search", Credential: "k2"}
	just := Event{At: 895 * ms, Kind: KindLearned, Service: "search", Credential: "k2"}
	for _, tt := range []struct {
		name   string
		events []Event
		want   bool
	}{
		{"it fetched for it, and took it", []Event{just, canary}, true},
		{"the news of it comes later", []Event{canary, just}, true},
		{"it had it already, and fetched in the same moment", []Event{had, canary}, false},
		{"it refused it", []Event{refused, just}, false},
	} {
		if got := viewOf(tt.events...).OnMiss["search"]; got != tt.want {
			t.Errorf("%s: got %t, want %t", tt.name, got, tt.want)
		}
	}
}

// TestPublishedBefore: what was not looked at for long may have been published since the look before.
func TestPublishedBefore(t *testing.T) {
	v := viewOf(Event{At: 10 * ms, Kind: KindPublished, Service: "auth", Credentials: []string{"k1"}},
		Event{At: 90 * ms, Began: 20 * ms, Kind: KindPublished, Service: "auth", Credentials: []string{"k1", "k2"}})
	if at := v.PublishedAt["auth"]; at["k1"] != 10*ms || at["k2"] != 20*ms {
		t.Errorf("got %v, want k1 at 10 ms and k2 at 20 ms", at)
	}
}

// TestTurnedAway: what an issuer publishes is not known from when it turned a look away until one finds a set.
func TestTurnedAway(t *testing.T) {
	look := func(status, reader string) Event {
		return Event{Kind: KindLooked, Service: "auth", Reader: reader, Set: &KeySet{Status: status}}
	}
	for _, tt := range []struct {
		events []Event
		want   bool
	}{
		{[]Event{look("200", "")}, false},
		{[]Event{look("200", ""), look("429", "")}, true},
		{[]Event{look("200", ""), look("429", "search")}, false},
		{[]Event{look("429", ""), look("503", "")}, false},
		{[]Event{look("429", ""), look("200", "")}, false},
	} {
		if got := viewOf(tt.events...).TurnedAway["auth"]; got != tt.want {
			t.Errorf("%+v: got %t, want %t", tt.events, got, tt.want)
		}
	}
}
