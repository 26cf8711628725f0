package history

import (
	"reflect"
	"testing"
	"time"
)

const ms = Offset(time.Millisecond)

func viewOf(events ...Event) *View { return ViewOf(&History{Events: events}) }

func TestViewFollowsPhasesAndSteps(t *testing.T) {
	v := viewOf(
		Event{At: 10 * ms, Kind: KindPhase, Phase: Accept},
		Event{At: 20 * ms, Kind: KindStep, Step: "accept", Credential: "k2"},
		Event{At: 30 * ms, Kind: KindStep, Step: "emit", Credential: "k2", Detail: "store is gone"},
		Event{At: 25 * ms, Kind: KindExit, Service: "search"},
	)
	if v.Phase != Accept || v.PhaseStart[Accept] != 10*ms {
		t.Errorf("phase: got %s since %s, want accept since 10ms", v.Phase, v.PhaseStart[Accept].Wall())
	}
	if at, done := v.Steps["accept"]["k2"]; !done || at != 20*ms {
		t.Errorf("accept of k2: got %t at %s, want done at 20ms", done, at.Wall())
	}
	if at, done := v.Steps["emit"]["k2"]; done {
		t.Errorf("emit of k2: got done at %s, want a step that failed not to be", at.Wall())
	}
	if v.Exited["search"] != 25*ms {
		t.Errorf("exit of search: got %s, want 25ms", v.Exited["search"].Wall())
	}
	if v.Now != 30*ms {
		t.Errorf("now: got %s, want 30ms: it does not go back with a line that came late", v.Now.Wall())
	}
}

// TestViewOfOneSlot has a validator that keeps one credential: it forgets the
// old one when it learns the new.
func TestViewOfOneSlot(t *testing.T) {
	v := viewOf(
		Event{At: 1 * ms, Kind: KindFetched, Service: "search", Credentials: []string{"k1"}, Holds: []string{"k1"}},
		Event{At: 1 * ms, Kind: KindLearned, Service: "search", Credential: "k1"},
		Event{At: 5 * ms, Kind: KindFetched, Service: "search", Credentials: []string{"k2", "k1"}, Holds: []string{"k2"}},
		Event{At: 5 * ms, Kind: KindLearned, Service: "search", Credential: "k2"},
		Event{At: 5 * ms, Kind: KindForgot, Service: "search", Credential: "k1"},
	)
	if want := map[string]Offset{"k2": 5 * ms}; !reflect.DeepEqual(v.Holds["search"], want) {
		t.Errorf("holds: got %v, want %v", v.Holds["search"], want)
	}
	if want := map[string]Offset{"k1": 5 * ms}; !reflect.DeepEqual(v.Forgot["search"], want) {
		t.Errorf("forgot: got %v, want %v", v.Forgot["search"], want)
	}
	if v.Fetches["search"] != 2 || v.LastFetch["search"] != 5*ms {
		t.Errorf("fetches: got %d, the last at %s, want 2, the last at 5ms", v.Fetches["search"], v.LastFetch["search"].Wall())
	}
}

func TestViewFollowsEmittersAndReaders(t *testing.T) {
	v := viewOf(
		Event{At: 1 * ms, Kind: KindPublished, Service: "auth", Credentials: []string{"k1"}},
		Event{At: 1 * ms, Kind: KindEmitting, Service: "auth", Credential: "k1"},
		Event{At: 3 * ms, Kind: KindPublished, Service: "auth", Credentials: []string{"k1", "k2"}},
		Event{At: 4 * ms, Kind: KindRead, Service: "auth", Reader: "search", What: "jwks"},
		Event{At: 6 * ms, Kind: KindEmitting, Service: "auth", Credential: "k2"},
		Event{At: 7 * ms, Kind: KindPublished, Service: "auth", Credentials: []string{"k2"}},
		Event{At: 8 * ms, Kind: KindRead, Service: "auth", Reader: "search", What: "jwks"},
		Event{At: 9 * ms, Kind: KindPublished, Service: "auth", Credentials: []string{"k2", "k1"}},
		Event{At: 9 * ms, Kind: KindEmitting, Service: "auth", Credential: "k2"}, // started anew
	)
	if v.Emitting["auth"] != "k2" || v.Switched["auth"]["k2"] != 6*ms {
		t.Errorf("emitting: got %s since %s, want k2 since 6ms", v.Emitting["auth"], v.Switched["auth"]["k2"].Wall())
	}
	if want := map[string]Offset{"k1": 9 * ms, "k2": 3 * ms}; !reflect.DeepEqual(v.PublishedAt["auth"], want) {
		t.Errorf("published at: got %v, want %v, for k1 was away meanwhile", v.PublishedAt["auth"], want)
	}
	if got := v.Readers["search jwks"]; got.Name != "search" || got.What != "jwks" || got.First != 4*ms || got.Last != 8*ms || got.Count != 2 {
		t.Errorf("readers: got %+v, want search, twice, from 4ms to 8ms", got)
	}
}

func TestViewLastSwitch(t *testing.T) {
	v := NewView()
	for _, e := range []Event{
		{At: 10, Kind: KindEmitting, Service: "a", Credential: "k1"}, {At: 20, Kind: KindEmitting, Service: "a", Credential: "k2"},
		{At: 30, Kind: KindEmitting, Service: "b", Credential: "k2"}, {At: 40, Kind: KindEmitting, Service: "c", Credential: "k1"},
	} {
		v.Apply(e)
	}
	if k1, k2, k3 := v.LastSwitch("k1"), v.LastSwitch("k2"), v.LastSwitch("k3"); k1 != 40 || k2 != 30 || k3 != 0 {
		t.Errorf("got %d, %d and %d, want 40, 30 and 0", k1, k2, k3)
	}
}

func TestViewKeepsTheLastProbe(t *testing.T) {
	v := viewOf(
		Event{At: 1 * ms, Kind: KindProbe, Service: "search", Credential: "k1", Probe: &Probe{Purpose: OldAfter, Outcome: OK}},
		Event{At: 2 * ms, Kind: KindProbe, Service: "search", Credential: "k1", Probe: &Probe{Purpose: OldAfter, Outcome: AuthFailure}},
		Event{At: 3 * ms, Kind: KindProbe, Service: "search", Credential: "k2", Probe: &Probe{Purpose: NewAfter, Outcome: OK}},
	)
	for credential, want := range map[string]Outcome{"k1": AuthFailure, "k2": OK} {
		if got := v.Probes["search"][credential].Outcome; got != want {
			t.Errorf("last probe of %s: got %s, want %s", credential, got, want)
		}
	}
}

func counted(at Offset, presenter, credential string, attempts, failures int64) Event {
	c := &Counts{
		Source: FromLoad, Presenter: presenter, Validator: "search", Credential: credential, Width: 100 * ms,
		Attempts: attempts, OK: attempts - failures, AuthFailures: failures,
	}
	if failures > 0 {
		c.FirstFailure, c.LastFailure = at+10*ms, at+20*ms
		c.Statuses = map[string]int64{"401": failures}
		c.FailedSessions = map[string]int64{presenter + "-1": failures}
	}
	return Event{At: at, Kind: KindCounts, Counts: c}
}

func TestViewSum(t *testing.T) {
	v := viewOf(
		counted(0, "app", "k1", 10, 0), counted(100*ms, "app", "k1", 10, 2),
		counted(200*ms, "app", "k1", 10, 3), counted(300*ms, "app", "k1", 10, 0),
		counted(100*ms, "web", "k1", 7, 1), counted(100*ms, "app", "k2", 5, 1),
	)
	key := CellKey{FromLoad, "app", "search", "k1"}
	for _, tt := range []struct {
		name                        string
		from, to                    Offset
		attempts, failures, buckets int64
	}{
		{"all", 0, 1000 * ms, 40, 5, 4},
		{"the end is not part of it", 0, 200 * ms, 20, 2, 2},
		{"the beginning is", 100 * ms, 201 * ms, 20, 5, 2},
		{"from the middle of a bucket", 150 * ms, 1000 * ms, 20, 3, 2},
		{"nothing between two buckets", 110 * ms, 190 * ms, 0, 0, 0},
		{"before all", -100 * ms, 0, 0, 0, 0},
		{"the wrong way round", 300 * ms, 100 * ms, 0, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := v.Sum(key, tt.from, tt.to)
			if c.Attempts != tt.attempts || c.AuthFailures != tt.failures {
				t.Errorf("sum: got %d attempts and %d failures, want %d and %d", c.Attempts, c.AuthFailures, tt.attempts, tt.failures)
			}
			if got := int64(len(v.Buckets(key, tt.from, tt.to))); got != tt.buckets {
				t.Errorf("buckets: got %d, want %d", got, tt.buckets)
			}
		})
	}
	if got := v.Sum(CellKey{FromLoad, "bot", "search", "k1"}, 0, v.Now+1); got.Attempts != 0 {
		t.Errorf("sum of a cell that does not exist: got %d attempts, want 0", got.Attempts)
	}
	if v.Cells[key][0].Counts.Attempts != 10 {
		t.Errorf("a bucket after the sums: got %d attempts, want 10 as before", v.Cells[key][0].Counts.Attempts)
	}
}

// TestViewSumOfALongRun has buckets further apart than 32 bits of nanoseconds.
func TestViewSumOfALongRun(t *testing.T) {
	const s = 1000 * ms
	v := viewOf(
		counted(0, "web", "k1", 1, 0), counted(3*s, "web", "k1", 2, 0), counted(6*s, "web", "k1", 4, 0), counted(9*s, "web", "k1", 8, 0),
	)
	if got := v.Sum(CellKey{FromLoad, "web", "search", "k1"}, 3*s, 9*s); got.Attempts != 6 {
		t.Errorf("from 3s to 9s: got %d attempts, want 6", got.Attempts)
	}
}

func TestViewKeys(t *testing.T) {
	v := viewOf(
		counted(0, "web", "k2", 1, 0), counted(0, "web", "k1", 1, 0), counted(0, "app", "k2", 1, 0),
		Event{Kind: KindCounts, Counts: &Counts{Source: FromAuthority, Presenter: "zoe", Validator: "a", Credential: "k1"}},
	)
	want := []CellKey{
		{FromAuthority, "zoe", "a", "k1"}, {FromLoad, "app", "search", "k2"},
		{FromLoad, "web", "search", "k1"}, {FromLoad, "web", "search", "k2"},
	}
	if got := v.Keys(); !reflect.DeepEqual(got, want) {
		t.Errorf("keys: got %v, want %v", got, want)
	}
}

func TestCountsAdd(t *testing.T) {
	sum := Counts{}
	for _, c := range []Counts{
		{Attempts: 5, OK: 5, Statuses: map[string]int64{"200": 5}, Latency: [][2]int64{{900, 5}}},
		{
			Attempts: 4, OK: 1, AuthFailures: 2, Unavailable: 1, Retries: 2, RetriesOK: 1,
			Statuses: map[string]int64{"200": 1, "401": 2, "refused": 1}, FailedSessions: map[string]int64{"app-1": 2},
			FirstFailure: 300 * ms, LastFailure: 350 * ms, Latency: [][2]int64{{1100, 4}}, Examples: []Example{{At: 300 * ms}},
		},
		{
			Attempts: 2, AuthFailures: 1, HarnessErrors: 1, Statuses: map[string]int64{"401": 1},
			FailedSessions: map[string]int64{"app-1": 1}, FirstFailure: 120 * ms, LastFailure: 120 * ms,
		},
	} {
		sum.Add(&c)
	}
	want := Counts{
		Attempts: 11, OK: 6, AuthFailures: 3, Unavailable: 1, HarnessErrors: 1, Retries: 2, RetriesOK: 1,
		Statuses: map[string]int64{"200": 6, "401": 3, "refused": 1}, FailedSessions: map[string]int64{"app-1": 3},
		FirstFailure: 120 * ms, LastFailure: 350 * ms,
		Latency: [][2]int64{{900, 5}, {1100, 4}}, Examples: []Example{{At: 300 * ms}},
	}
	if !reflect.DeepEqual(sum, want) {
		t.Errorf("sum: got %+v\nwant %+v", sum, want)
	}
}
