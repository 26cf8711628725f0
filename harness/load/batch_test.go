package load

import (
	"reflect"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

func TestCountsBecomeEvents(t *testing.T) {
	started := time.UnixMicro(1_000_000)
	offset := func(at time.Time) history.Offset { return history.Offset(at.Sub(started)) }
	ms := func(n int) history.Offset { return history.Offset(time.Duration(n) * time.Millisecond) }
	counts := Counts{
		At: 1_500_000, Width: 100_000, Client: "web", To: "checkout", Credential: "kid", Attempts: 3, OK: 1, AuthFailures: 2,
		Unavailable: 4, HarnessErrors: 5, Retries: 6, RetriesOK: 7, Statuses: map[string]int64{"401": 2},
		FirstFailure: 1_501_000, LastFailure: 1_502_000, FailedSessions: map[string]int64{"web-1": 2}, Latency: [][2]int64{{9, 3}},
		Examples: []Example{{At: 1_501_000, Session: "web-1", Status: "401", Detail: "invalid_token"}},
	}
	want := history.Event{At: ms(500), Kind: history.KindCounts, Credential: "k1", Identifier: "kid", Counts: &history.Counts{
		Source: history.FromLoad, Presenter: "web", Validator: "checkout", Credential: "k1", Width: ms(100), Attempts: 3, OK: 1,
		AuthFailures: 2, Unavailable: 4, HarnessErrors: 5, Retries: 6, RetriesOK: 7, Statuses: map[string]int64{"401": 2},
		FirstFailure: ms(501), LastFailure: ms(502), FailedSessions: map[string]int64{"web-1": 2}, Latency: [][2]int64{{9, 3}},
		Examples: []history.Example{{At: ms(501), Session: "web-1", Status: "401", Detail: "invalid_token"}},
	}}
	if got := counts.Event(offset, "k1"); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v %+v\nwant %+v %+v", got, got.Counts, want, want.Counts)
	}
	session := Session{Client: "web", Session: "web-1", At: 1_500_000, Count: 2, Detail: "issuer is down"}
	wantSession := history.Event{At: ms(500), Kind: history.KindSession, Service: "web", Count: 2, Detail: "web-1: issuer is down"}
	if got := session.Event(offset); !reflect.DeepEqual(got, wantSession) {
		t.Errorf("got  %+v\nwant %+v", got, wantSession)
	}
}
