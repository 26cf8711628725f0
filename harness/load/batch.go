package load

import (
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// Batch is one object of a stream: what was counted since the one before it.
type Batch struct {
	// Seq numbers batches from 1, without gaps. Who asks for batches after a
	// number says that it has those up to it.
	Seq      int64     `json:"seq"`
	Counts   []Counts  `json:"counts,omitempty"`
	Sessions []Session `json:"sessions,omitempty"`
	Strains  []Strain  `json:"strains,omitempty"`
	Behind   []Behind  `json:"behind,omitempty"`
	// Until is the moment, in microseconds since the Unix epoch, before which nothing is
	// missing from this batch and those before it.
	Until int64 `json:"until"`
	// Totals are those at the end of this batch. While load runs they need not
	// agree with each other; in the final batch they do.
	Totals history.Totals `json:"totals"`
	// Final marks the last batch: load was stopped and has drained.
	Final bool `json:"final"`
}

// Counts are the decisions of one cell in one bucket, as history.Counts has
// them; moments are microseconds since the Unix epoch and durations are
// microseconds. The moment of a decision is when its answer was complete.
type Counts struct {
	At     int64  `json:"at"` // beginning of the bucket
	Width  int64  `json:"width_us"`
	Client string `json:"presenter"`
	To     string `json:"validator"`
	// Credential is the kid of the token that was presented; "" without one.
	Credential string `json:"credential"`

	Attempts       int64            `json:"attempts,omitempty"`
	OK             int64            `json:"ok,omitempty"`
	AuthFailures   int64            `json:"auth_failures,omitempty"`
	Unavailable    int64            `json:"unavailable,omitempty"`
	HarnessErrors  int64            `json:"harness_errors,omitempty"`
	Statuses       map[string]int64 `json:"statuses,omitempty"`
	Retries        int64            `json:"retries,omitempty"`
	RetriesOK      int64            `json:"retries_ok,omitempty"`
	LongestLife    int64            `json:"longest_life_us,omitempty"` // of the tokens that were presented, where they tell
	FirstFailure   int64            `json:"first_failure,omitempty"`
	LastFailure    int64            `json:"last_failure,omitempty"`
	FailedSessions map[string]int64 `json:"failed_sessions,omitempty"`
	Latency        [][2]int64       `json:"latency_us,omitempty"`
	Examples       []Example        `json:"examples,omitempty"`
}

// Example is one auth failure; moments as in Counts.
type Example struct {
	At      int64  `json:"at"`
	Session string `json:"session"`
	Status  string `json:"status"`
	// IssuedAt is when the token was asked for; 0 without a token.
	IssuedAt int64  `json:"issued_at,omitempty"`
	Detail   string `json:"detail,omitempty"` // error code of RFC 6750 §3.1, if any
}

// Session says that requests of a session were held back, because its token
// ran out and could not be renewed. The counts of all of them add up to
// Totals.NotSent.
type Session struct {
	Client  string `json:"client"`
	Session string `json:"session"`
	At      int64  `json:"at"` // of the first request held back that this record counts
	Count   int64  `json:"count"`
	Detail  string `json:"detail"` // why the token could not be renewed
}

// Event is c as an event of a history. Offset turns moments into offsets of
// the run, as history.Recorder.Offset does; credential is the name in the run
// of the kid that c was counted under.
func (c Counts) Event(offset func(time.Time) history.Offset, credential string) history.Event {
	at := func(micros int64) history.Offset {
		if micros == 0 {
			return 0
		}
		return offset(time.UnixMicro(micros))
	}
	counts := &history.Counts{
		Source: history.FromLoad, Presenter: c.Client, Validator: c.To, Credential: credential,
		Width:    history.Offset(time.Duration(c.Width) * time.Microsecond),
		Attempts: c.Attempts, OK: c.OK, AuthFailures: c.AuthFailures,
		Unavailable: c.Unavailable, HarnessErrors: c.HarnessErrors, Statuses: c.Statuses,
		Retries: c.Retries, RetriesOK: c.RetriesOK,
		LongestLife:  history.Offset(time.Duration(c.LongestLife) * time.Microsecond),
		FirstFailure: at(c.FirstFailure), LastFailure: at(c.LastFailure),
		FailedSessions: c.FailedSessions, Latency: c.Latency,
	}
	for _, e := range c.Examples {
		counts.Examples = append(counts.Examples, history.Example{
			At: at(e.At), Session: e.Session, Status: e.Status, IssuedAt: at(e.IssuedAt), Detail: e.Detail,
		})
	}
	return history.Event{
		At: at(c.At), Kind: history.KindCounts, Credential: credential, Identifier: c.Credential, Counts: counts,
	}
}

// Event is s as an event of a history; offset as in Counts.Event.
func (s Session) Event(offset func(time.Time) history.Offset) history.Event {
	return history.Event{
		At: offset(time.UnixMicro(s.At)), Kind: history.KindSession, Service: s.Client,
		Count: s.Count, Detail: s.Session + ": " + s.Detail,
	}
}
