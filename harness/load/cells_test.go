package load

import (
	"reflect"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

var refused = decision{outcome: history.AuthFailure, status: 401, session: "web-1"}

func TestCellCountsByBucket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newCells(newClock(), 100*time.Millisecond)
		cell := all.cell("web", "checkout", "k1")
		start := time.Now().UnixMicro() // synctest begins at a whole second

		cell.record(decision{outcome: history.OK, status: 200, latency: 90 * time.Microsecond})
		time.Sleep(10 * time.Millisecond)
		cell.record(refused)
		time.Sleep(40*time.Millisecond + 7*time.Microsecond)
		cell.record(decision{outcome: history.AuthFailure, status: 403, session: "web-2", issuedAt: 5, detail: "invalid_token"})
		cell.record(decision{outcome: history.Unavailable, status: statusTimeout})
		cell.record(decision{outcome: history.HarnessError, status: statusError})
		cell.record(decision{outcome: history.OK, status: 200, retry: true})
		cell.record(decision{outcome: history.AuthFailure, status: 401, retry: true})
		if early := all.take(false); len(early) != 0 {
			t.Fatalf("took %+v of a bucket that is not past; want nothing", early)
		}
		time.Sleep(250 * time.Millisecond)
		cell.record(refused)

		got := all.take(true)
		want := []Counts{{
			At: start, Width: 100_000, Client: "web", To: "checkout", Credential: "k1",
			Attempts: 5, OK: 1, AuthFailures: 2, Unavailable: 1, HarnessErrors: 1, Retries: 2, RetriesOK: 1,
			Statuses:     map[string]int64{"200": 1, "401": 1, "403": 1, "timeout": 1, "error": 1},
			FirstFailure: start + 10_000, LastFailure: start + 50_007,
			FailedSessions: map[string]int64{"web-1": 1, "web-2": 1},
			Latency:        [][2]int64{{0, 4}, {90, 1}},
			Examples: []Example{
				{At: start + 10_000, Session: "web-1", Status: "401"},
				{At: start + 50_007, Session: "web-2", Status: "403", IssuedAt: 5, Detail: "invalid_token"},
			},
		}, {
			At: start + 300_000, Width: 100_000, Client: "web", To: "checkout", Credential: "k1",
			Attempts: 1, AuthFailures: 1, Statuses: map[string]int64{"401": 1},
			FirstFailure: start + 300_007, LastFailure: start + 300_007,
			FailedSessions: map[string]int64{"web-1": 1}, Latency: [][2]int64{{0, 1}},
			Examples: []Example{{At: start + 300_007, Session: "web-1", Status: "401"}},
		}}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}

func TestCellTakesPastBucketsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newCells(newClock(), 100*time.Millisecond)
		cell := all.cell("web", "checkout", "k1")
		var beginnings []int64
		var attempts int64
		for range 1000 {
			cell.record(refused)
			time.Sleep(7 * time.Millisecond)
			for _, c := range all.take(false) {
				beginnings, attempts = append(beginnings, c.At), attempts+c.Attempts
			}
		}
		for _, c := range all.take(true) {
			beginnings, attempts = append(beginnings, c.At), attempts+c.Attempts
		}
		if attempts != 1000 {
			t.Errorf("took %d attempts; want 1000", attempts)
		}
		for i := 1; i < len(beginnings); i++ {
			if beginnings[i] <= beginnings[i-1] {
				t.Errorf("bucket at %d comes after the one at %d; want each once and in order", beginnings[i], beginnings[i-1])
			}
		}
	})
}

func TestCellKeepsFewExamples(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newCells(newClock(), 100*time.Millisecond)
		cell := all.cell("web", "checkout", "k1")
		var perBucket []int
		for range 6 {
			for i := range 50 {
				d := refused
				d.session = strconv.Itoa(i)
				cell.record(d)
			}
			time.Sleep(100 * time.Millisecond)
			for _, c := range all.take(false) {
				perBucket = append(perBucket, len(c.Examples))
			}
		}
		if want := []int{3, 3, 3, 1, 0, 0}; !reflect.DeepEqual(perBucket, want) {
			t.Errorf("examples by bucket: got %v; want %v", perBucket, want)
		}
	})
}

func TestCellIsFoundAgain(t *testing.T) {
	all := newCells(newClock(), time.Second)
	a, b := all.cell("web", "checkout", "k1"), all.cell("web", "checkout", "k2")
	if a == b {
		t.Error("k1 and k2 share a cell; want one each")
	}
	if again := all.cell("web", "checkout", "k1"); again != a {
		t.Error("k1 got a second cell; want the first")
	}
}
