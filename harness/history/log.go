package history

import (
	"encoding/json"
	"io"
	"log/slog"
	"time"
)

// Line is one line of a stand-in's log: JSON, one object a line, as
// NewLogger writes it. A message that is a Kind becomes an event of the
// history; a message that is one of the decisions below is counted. Lines of
// other services need not have this form.
type Line struct {
	Time    time.Time `json:"time"`
	Level   string    `json:"level"`
	Message string    `json:"msg"`
	// Service is the name of the party that writes.
	Service string `json:"service"`
	// Identifier is the kid or version tag of the credential in question.
	Identifier string `json:"identifier"`
	// Identifiers are those of a fetched, loaded or published set; Holds those
	// that were kept of it. The one to emit is in Identifier.
	Identifiers []string `json:"identifiers"`
	Holds       []string `json:"holds"`
	// Presenter is the client or consumer that presented a credential; Validator
	// is whom a consumer presented it to, where that is not always the same.
	Presenter string `json:"presenter"`
	Validator string `json:"validator"`
	// Status is the status that was answered or seen: "200", "401", "28P01".
	Status string `json:"status"`
	// Outcome is what that means, in the word of whoever writes the line: nobody
	// else has to know what its statuses say.
	Outcome Outcome `json:"outcome"`
	// Reader is who read What, in its own words (a User-Agent, a token's name).
	Reader string `json:"reader"`
	What   string `json:"what"`
	// User is the login under which a credential was presented, where there is one.
	User string `json:"user"`
	// Remote is the IP address that a reader or a presenter came from or, as contract.Caller has it, the
	// service of the run.
	Remote string `json:"remote"`
	// From is the URL of a fetch, or the name of the cache that answered it.
	From   string `json:"from"`
	Detail string `json:"detail"`
	// Latency is how long a decision took, in microseconds.
	Latency int64 `json:"latency_us"`
	// Count is of what a line tells that happened several times.
	Count int64 `json:"count"`
	// Attempt is 1 for a first attempt, more for retries of what was refused.
	Attempt int64 `json:"attempt"`
	// Unasked says that a consumer presented by itself, out of a queue, and not
	// because it was called.
	Unasked bool `json:"unasked"`
	// Anew says that the presenter made what it presented just then, by its own
	// timestamp.
	Anew bool `json:"anew"`

	// Pod is the pod in which the line was written, of a service in a cluster.
	Pod string `json:"pod"`
	// Order names what was to be done once, over all attempts at it. Effect is
	// what an authority did because of a presentation; empty: nothing. Idempotent
	// says that it was given a key to know the same by.
	Order      string `json:"order"`
	Effect     Effect `json:"effect"`
	Idempotent bool   `json:"idempotent"`
	// Earlier is the identifier of the credential with which the same was done
	// before, and Was what that was answered.
	Earlier string `json:"earlier"`
	Was     string `json:"was"`
	// Settled is what a consumer told its caller of an order at its end.
	Settled Settled `json:"settled"`
}

// The messages of decisions about a presented credential. A validator writes
// one for each, and nothing else counts as served.
const (
	MessageAccepted = "accepted"
	MessageRefused  = "refused"
	// MessageUndecided is an answer that is no decision, such as 503 from a
	// validator that has no keys yet. It counts as served too; with a Presenter,
	// who had that answer, as a presentation that found nobody there.
	MessageUndecided = "undecided"
	// MessagePresented is a consumer's own view of presenting its credential to
	// an authority; Status says what it was answered, StatusUnavailable that
	// there was no answer.
	MessagePresented = "presented"
)

// UnknownIdentifier is logged for a credential that who checks does not know, as a
// signature that fits none of the secrets that it has.
const UnknownIdentifier = "unknown"

// Somebody is who presented a credential without a name of its own.
const Somebody = "somebody"

// StatusUnavailable is the status of a presentation that got no answer.
const StatusUnavailable = "unavailable"

// Decides says whether a line tells of a presented credential: those come with
// every request.
func (l Line) Decides() bool {
	switch l.Message {
	case MessageAccepted, MessageRefused, MessageUndecided, MessagePresented:
		return true
	}
	return false
}

// ParseLine reads a line of a log; false where it is not of this form.
func ParseLine(line []byte) (Line, bool) {
	if len(line) == 0 || line[0] != '{' {
		return Line{}, false
	}
	var l Line
	if err := json.Unmarshal(line, &l); err != nil || l.Message == "" || l.Time.IsZero() {
		return Line{}, false
	}
	return l, true
}

// NewLogger writes lines that ParseLine reads. Use the JSON names of Line as
// the keys of attributes.
func NewLogger(w io.Writer, service string) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, nil)).With("service", service)
}
