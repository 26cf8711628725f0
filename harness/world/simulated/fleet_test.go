package simulated

import (
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// TestFleetLearnsOneAfterTheOther holds the share of a fleet that refuses the new credential
// against the share that cannot have fetched it yet: of many that fetch every quarter of an
// hour, evenly apart, all but so much of a quarter of an hour as has passed.
func TestFleetLearnsOneAfterTheOther(t *testing.T) {
	const accept, emit, refresh = 4 * time.Second, 6 * time.Second, 15 * time.Minute
	p := planned(t, "search: {serve: verifier}", "search: {serve: verifier, count: 50000}", "rate: 20/s, sessions: 10", "rate: 1/s, count: 400")
	behaviour := Options{Validators: map[string]Behaviour{"search": {Refresh: refresh}}}
	h := live(t, p, behaviour, 60*time.Second, act{accept, keyring.Accept, "k2"}, act{emit, keyring.Emit, "k2"})

	period := p.Limits.Wall(refresh)
	published := of(h, history.KindPublished, "auth")
	at := published[1].At // the first has k1 alone, and the third has k2 before it
	learned := of(h, history.KindLearned, "search")
	last := learned[len(learned)-1]
	if took := (last.At - at).Duration(); last.Credential != "k2" || took < period*99/100 || took > period {
		t.Errorf("learned last: got %s %s after it was published, want k2 after %s, when all have it", last.Credential, took, period)
	}
	for tenth := history.Offset(3); tenth < 10; tenth++ {
		from, to := at+history.Offset(period)*tenth/10, at+history.Offset(period)*(tenth+1)/10
		var attempts, refused int64
		for _, e := range h.Events {
			if e.Kind == history.KindCounts && e.Counts.Presenter == "app" && e.Counts.Credential == "k2" && e.At >= from && e.At < to {
				attempts, refused = attempts+e.Counts.Attempts, refused+e.Counts.AuthFailures
			}
		}
		want := 1 - (float64(tenth)+0.5)/10
		if got := float64(refused) / float64(max(1, attempts)); attempts < 100 || got < want-0.15 || got > want+0.15 {
			t.Errorf("in tenth %d of the period: got %d of %d refused, want %.0f %%", tenth+1, refused, attempts, 100*want)
		}
	}
}

// TestManyClientsRenewOnce has clients that fetch a new token when theirs is refused: each is
// refused once, however few sessions stand for all of them.
func TestManyClientsRenewOnce(t *testing.T) {
	const clients = 3000
	for _, load := range []string{"rate: 150/s, sessions: 3000", "rate: 3/m, count: 3000", "rate: 1/s, count: 3000"} {
		p := planned(t, "rate: 20/s, sessions: 10, token: {from: auth, life: 10m}", load+", token: {from: auth, life: 24h, on_refusal: renew}")
		h := live(t, p, Options{Validators: map[string]Behaviour{"search": {Refresh: time.Second}}}, 60*time.Second,
			act{2 * time.Second, keyring.Accept, "k2"}, act{4 * time.Second, keyring.Emit, "k2"}, act{6 * time.Second, keyring.Revoke, "k1"})
		if got := sum(h, "app", 0).AuthFailures; got < clients*98/100 || got > clients*102/100 {
			t.Errorf("%s: got %d refused, want each of %d clients once", load, got, clients)
		}
	}
}
