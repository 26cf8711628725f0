// Package history records what happened in a run: events, and counted
// observations of decisions about credentials, by cell: which presenter showed which
// credential to which validator. A history is all that the judge reads. It holds
// names, identifiers and figures; never a secret's value.
package history

import (
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"strconv"
	"time"
)

// Offset is wall time since the start of the run. In JSON it is a number of
// milliseconds with up to three decimals.
type Offset time.Duration

// Duration is the offset as a time.Duration.
func (o Offset) Duration() time.Duration { return time.Duration(o) }

// Milliseconds is the offset in whole milliseconds, as result.json has it.
func (o Offset) Milliseconds() int64 { return time.Duration(o).Milliseconds() }

// Milliseconds is the offset of so many whole milliseconds, as result.json has it.
func Milliseconds(ms int64) Offset { return Offset(time.Duration(ms) * time.Millisecond) }

// Wall is the offset as time of the run, rounded to milliseconds: "12.345s". There is no String: findings
// tell page time, and what prints an offset says which of the two it tells.
func (o Offset) Wall() string { return time.Duration(o).Round(time.Millisecond).String() }

// MarshalJSON writes milliseconds.
func (o Offset) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(time.Duration(o).Microseconds())/1000, 'f', -1, 64), nil
}

// UnmarshalJSON reads milliseconds, up to a hundred years.
func (o *Offset) UnmarshalJSON(data []byte) error {
	var ms float64
	if err := json.Unmarshal(data, &ms); err != nil {
		return fmt.Errorf("parse offset: %w", err)
	}
	if !inRange(ms) {
		return fmt.Errorf("parse offset: %g ms is more than a hundred years", ms)
	}
	// Rounded: 1.001 × 1000 is a little less than 1001 in binary.
	*o = Offset(time.Duration(math.Round(ms*1000)) * time.Microsecond)
	return nil
}

// Kind says what an Event tells, and which of its parts are set.
type Kind string

// The kinds of events.
const (
	// Of the run itself.
	KindPlan       Kind = "plan"       // Plan: what was planned; the first event of every history
	KindService    Kind = "service"    // Service started; Detail: its effective settings
	KindExit       Kind = "exit"       // Service ended by itself or by a fault; Detail: how
	KindPhase      Kind = "phase"      // Phase begins
	KindCredential Kind = "credential" // Credential was made; Identifier: its kid or version tag; Detail: its fingerprint
	KindStep       Kind = "step"       // Step of Credential is done; Detail: error if it failed
	KindMoment     Kind = "moment"     // the accept does not fall into the worst moment for Service (validator); What: missed, unseen; Detail: why
	KindGate       Kind = "gate"       // Gate was evaluated
	KindDecision   Kind = "decision"   // Decision: the run chose to roll back, to stop, or only noted that it would have
	KindFault      Kind = "fault"      // Fault was injected, evidenced or undone
	KindLeft       Kind = "left"       // Step of Credential is still to be taken by hand, to take the rotation back; Detail: what the team does for it
	KindRotator    Kind = "rotator"    // What became of the team's own rotator: started, stopped, ended
	KindOperator   Kind = "operator"   // a person acted; Detail: what; Began: since when they were waited for, if they were
	KindAgreement  Kind = "agreement"  // Agreement: whether authority and store agreed when it was asked
	KindRenewed    Kind = "renewed"    // Service (emitter) was told to make its connections anew; Detail: error if it was not
	KindTotals     Kind = "totals"     // Totals: the four counters
	KindLeaks      Kind = "leaks"      // Leaks: outcome of the scan
	KindLogged     Kind = "logged"     // Logged: whether the log of Service names the credentials that it decided about
	KindLedger     Kind = "ledger"     // Ledger: what was to be done, and what was
	KindTrouble    Kind = "trouble"    // the harness itself had trouble; Detail: what
	KindClockSet   Kind = "clock-set"  // the machine's wall clock was set, Count milliseconds ahead or, where negative, back; Detail: in words
	KindSaid       Kind = "said"       // Said: what Service wrote into its log until the rotation ended, by kinds of lines
	KindRate       Kind = "rate"       // Service, a client of the load, sends Rate requests a second from now on
	KindMachine    Kind = "machine"    // Machine: what the machine kept the run from, or was like
	KindShard      Kind = "shard"      // Shard: the clock of Replica, a process that sends a part of the load, or that it was lost; Detail: how that is known
	KindEnd        Kind = "end"        // the rotation ended; Detail: one of the Ended constants

	// From the parties' own logs.
	KindFetched     Kind = "fetched"      // Service (validator) fetched a key set: Credentials (in the set), Holds (kept), From; with Count so often, evenly from Began on
	KindFetchFailed Kind = "fetch-failed" // Service could not fetch; Detail: why
	KindLearned     Kind = "learned"      // Service now takes Credential; What: OfFetch where only its fetch was seen
	KindForgot      Kind = "forgot"       // Service no longer takes Credential; What as above
	KindLoaded      Kind = "loaded"       // Service (emitter) read the published secret: Credentials, Credential (to emit)
	KindDelivered   Kind = "delivered"    // Service was given what is published, with Credential to emit; What: env, file, or reload
	KindPublished   Kind = "published"    // Service (issuer) now publishes the key set Credentials
	KindUnseen      Kind = "unseen"       // Service could not be looked at from outside since this moment; Detail: why; empty: it can be again
	KindUnread      Kind = "unread"       // Count lines of the log of Service were read, and none tells of a credential of this run; Detail: in words; empty: one does now
	KindEmitting    Kind = "emitting"     // Service now emits Credential; What: OfOtherKey, ByNoName
	KindEnded       Kind = "ended"        // Service (authority) ended a session of Reader, made with Credential; Detail: in words; What: Idle, where that is so
	KindLived       Kind = "lived"        // Service (authority): a session of Reader, made with Credential, was in use from Began until At, for longer than any of it before
	KindDenied      Kind = "denied"       // Service (authority) let Reader in with Credential, which lacks the right to what it asked; Detail: the server's own words
	KindLocked      Kind = "locked"       // Service (authority) refuses everybody after Count refusals, most of them of Credential by Reader; Detail: how many, how fast
	KindUnlocked    Kind = "unlocked"     // Service (authority) no longer refuses everybody
	KindLooked      Kind = "looked"       // the run looked at the key set of Service, as Reader finds it where that is set: Set; Credentials
	KindPod         Kind = "pod"          // something became of Replica, a pod of Service, or of what its kubelet brings it; What: one of the Pod constants
	KindRead        Kind = "read"         // Reader read What (the store's path, or the JWKS) at Service; Detail: how it was answered, where not well; with Count so often, evenly from Began on

	// Observations.
	KindCounts  Kind = "counts"  // Counts of one cell in one time bucket
	KindProbe   Kind = "probe"   // Probe: one presentation by the harness itself
	KindSession Kind = "session" // a client's token could not be renewed; Service: the client; Count
)

// The Whats of a KindMoment event: another moment is worse for the validator, or
// nobody saw when that would be.
const (
	MomentMissed = "missed"
	MomentUnseen = "unseen"
)

// OfFetch is the What of a KindLearned or KindForgot event of a service that says
// nothing itself: it fetched a set with or without the credential, and whether it
// takes that was not seen.
const OfFetch = "of-fetch"

// OfOtherKey is the What of a KindEmitting event of a service whose key set has, under that
// identifier, another key than the one with which it signs.
const OfOtherKey = "of-other-key"

// ByNoName is the What of a KindEmitting event of a service of which only the log of who checks tells, and
// that has no name for who presented it: it may have been another on behalf of the service.
const ByNoName = "by-no-name"

// The Whats of a KindPod event.
const (
	PodCame    = "came"    // it runs; Detail: on which node
	PodWent    = "went"    // it is gone
	PodWritten = "written" // Service is the Secret that the API server now has as Step of Credential wrote it; of no pod
	PodSaw     = "saw"     // the kubelet has brought that
	PodUnseen  = "unseen"  // whether it has is not seen; Detail: why
)

// Reload is the What of a KindDelivered event of a service that was made to read
// what it has again; of others it is the distribution of the page.
const Reload = "reload"

// Event is one thing that happened. Which fields are set follows from Kind.
type Event struct {
	At         Offset `json:"at_ms"`                // when it happened; of counts, when their stretch of time began
	Kind       Kind   `json:"kind"`                 // what it tells; the other parts that are set follow from it
	Phase      Phase  `json:"phase,omitempty"`      // the one that begins
	Service    string `json:"service,omitempty"`    // the party that it is about
	Credential string `json:"credential,omitempty"` // its name in the run: k1, k2
	Identifier string `json:"identifier,omitempty"` // what the credential is called outside of the run: its kid, or the tag of its version
	Step       string `json:"step,omitempty"`       // accept, emit, revoke, or what takes one back
	// Began is when a step was begun: an authority has it before it is done. Of a service that was
	// started anew, or made to reload, it is when that was begun. Of an
	// operator's answer it is since when that was waited for. Of what is published it is since
	// when it may have been, where nobody could look for long: nobody is late for that.
	Began  Offset `json:"began_ms,omitempty"`
	Reader string `json:"reader,omitempty"` // who read at Service, or had a session there
	// Replica is the pod of Service that it is about.
	Replica string `json:"replica,omitempty"`
	What    string `json:"what,omitempty"` // which of several things of this kind
	// From is where a fetch went; with a shared cache on the way it names the cache.
	From string `json:"from,omitempty"`
	// Credentials are those in a fetched or published set; Holds are those kept of it.
	Credentials []string `json:"credentials,omitempty"`
	Holds       []string `json:"holds,omitempty"`
	Count       int64    `json:"count,omitempty"` // of what the kind counts
	// Rate is in requests per second of wall time.
	Rate   *float64 `json:"rate,omitempty"`
	Detail string   `json:"detail,omitempty"` // in words

	Plan     json.RawMessage `json:"plan,omitempty"` // what was planned: the first event has it
	Gate     *Gate           `json:"gate,omitempty"`
	Decision *Decision       `json:"decision,omitempty"`
	Fault    *Fault          `json:"fault,omitempty"`
	// Agreement is whether authority and store agreed.
	Agreement *Agreement `json:"agreement,omitempty"`
	// Said are kinds of lines of a party's own log, secrets blacked out.
	Said   []SaidLine `json:"said,omitempty"`
	Logged *Logged    `json:"logged,omitempty"`
	Set    *KeySet    `json:"set,omitempty"`
	Probe  *Probe     `json:"probe,omitempty"`
	Counts *Counts    `json:"counts,omitempty"`
	Totals *Totals    `json:"totals,omitempty"`
	// Counters are, of totals, those of validators that are not the run's own.
	Counters []Counter `json:"counters,omitempty"`
	Leaks    *Leaks    `json:"leaks,omitempty"`
	Ledger   *Ledger   `json:"ledger,omitempty"`
	Machine  *Machine  `json:"machine,omitempty"`
	Shard    *Shard    `json:"shard,omitempty"`
}

// Times are when what an event tells came: once or, of one that tells of several that
// came evenly, each time, the last of which is At.
func (e *Event) Times() iter.Seq[Offset] {
	return func(yield func(Offset) bool) {
		several := (e.Kind == KindFetched || e.Kind == KindRead) && e.Count > 1 && e.Began <= e.At
		for i := int64(1); several && i < e.Count; i++ {
			if !yield(e.Began + Offset(float64(e.At-e.Began)*float64(i-1)/float64(e.Count-1))) {
				return
			}
		}
		yield(e.At)
	}
}

// Phase is a stretch of a rotation.
type Phase string

// The phases in their order, and the one that follows a decision to go back.
const (
	Baseline Phase = "baseline"
	Accept   Phase = "accept"
	Verify   Phase = "verify"
	Emit     Phase = "emit"
	Overlap  Phase = "overlap"
	Revoke   Phase = "revoke"
	Watch    Phase = "watch"
	Rollback Phase = "rollback"
)

// Phases are the phases of an undisturbed rotation, in order.
func Phases() []Phase { return []Phase{Baseline, Accept, Verify, Emit, Overlap, Revoke, Watch} }

// Gate is the outcome of what must hold before the next phase.
type Gate struct {
	Phase  Phase  `json:"phase"`
	Mode   string `json:"mode"` // enforce, observe, off
	Held   bool   `json:"held"`
	Detail string `json:"detail"` // what held, or what did not and what instead
	// Consumer is the party to look at where the gate did not hold for one.
	Consumer string `json:"consumer,omitempty"`
	// Untold says that it does not hold because it cannot be told whether it does.
	Untold bool `json:"untold,omitempty"`
}

// Decision is what the run chose to do and why.
type Decision struct {
	Action  Action  `json:"action"`
	Trigger Trigger `json:"trigger"`
	Why     string  `json:"why"`
	// Since is the first observation that called for it.
	Since Offset `json:"since_ms"`
}

// SaidLine is a kind of line of a party's own log: lines that differ in numbers
// and identifiers only.
type SaidLine struct {
	Text  string `json:"text"` // the last of them, cut, with secrets blacked out
	First Offset `json:"first_ms"`
	Last  Offset `json:"last_ms"`
	Count int64  `json:"count"`
}

// Logged says whether a party's log had the identifier of a credential: with
// one that was taken, and with one that was refused.
type Logged struct {
	Success bool `json:"success"`
	Failure bool `json:"failure"`
}

// Agreement is what came of asking authority and store whether they agree.
type Agreement struct {
	// Compared is false where nobody could say; Why says why not.
	Compared bool   `json:"compared"`
	Why      string `json:"why,omitempty"`
	// Differences are where they do not, a sentence each.
	Differences []string `json:"differences,omitempty"`
}

// Action is what a decision leads to.
type Action string

// The actions.
const (
	ActionRollBack Action = "rollback"
	ActionStop     Action = "stop"   // nothing was changed yet, or nothing can be taken back
	ActionRecord   Action = "record" // gates or budget only observe: it would have rolled back
)

// Store is the Service of what was read at the store.
const Store = "store"

// Trigger is what called for a decision.
type Trigger string

// The triggers.
const (
	TriggerGate     Trigger = "gate"
	TriggerBudget   Trigger = "budget"
	TriggerOperator Trigger = "operator"
	TriggerTimebox  Trigger = "timebox"
	TriggerError    Trigger = "error"            // a step could not be taken
	TriggerStore    Trigger = "store"            // contact with the store was lost
	TriggerAnother  Trigger = "another-rotation" // somebody else changed the same secret
	TriggerStopWhen Trigger = "stop-when"        // a check of the team's own held
	TriggerAsked    Trigger = "asked"            // the scenario, or whoever started the run, wanted the way back
)

// How a rotation ended.
const (
	EndedComplete    = "complete"
	EndedRolledBack  = "rolled back"
	EndedStopped     = "stopped"
	EndedInterrupted = "interrupted"
)

// The stages of a fault.
const (
	FaultInjected = "injected"
	FaultEvidence = "evidence" // what was measured of its effect, or of none
	FaultUndone   = "undone"
	FaultFailed   = "failed" // it could not be injected, or not be undone
)

// BackAfter is the figure, in the evidence of a fault that is undone, of the
// milliseconds after which nothing of its effect could be measured any more.
const BackAfter = "back_after_ms"

// Fault is one disturbance at one stage of its life.
type Fault struct {
	Kind   string `json:"kind"`
	Target string `json:"target"`
	// From and To are the ends of a target that is an edge.
	From     string             `json:"from,omitempty"`
	To       string             `json:"to,omitempty"`
	Stage    string             `json:"stage"` // one of the constants above
	Evidence map[string]float64 `json:"evidence,omitempty"`
	Took     bool               `json:"took,omitempty"` // with stage evidence: the measurement shows an effect
	Detail   string             `json:"detail,omitempty"`
	// By is who ordered it, where that was not the scenario: "operator".
	By string `json:"by,omitempty"`
}

// Outcome classifies one decision about a credential.
type Outcome string

// The outcomes. HarnessError is our own failure and
// never counts for or against a service.
const (
	OK           Outcome = "ok"
	AuthFailure  Outcome = "auth_failure"
	Unavailable  Outcome = "unavailable"
	HarnessError Outcome = "harness_error"
)

// Idle says of a session that was ended that it had not been in use, and that it had said no name when it
// was made: it may be a pooler's, on behalf of its Reader.
const Idle = "idle"

// Purpose says why a probe was shown.
type Purpose string

// The purposes of probes.
const (
	Canary    Purpose = "canary"    // the new credential, at the end of the lead
	Still     Purpose = "still"     // the old credential, just before the revoke: once to a team's own authority, and to who shares the secret and took the new one from no canary, which may have room for one
	OldAfter  Purpose = "old"       // the old credential, after the revoke, until the end of the watch
	NewAfter  Purpose = "new"       // the new credential, after the revoke
	Withdrawn Purpose = "withdrawn" // the withdrawn credential, after a rollback
	Back      Purpose = "back"      // the old credential, in a rollback, until every answer takes it again
	Restored  Purpose = "restored"  // the old credential, after a rollback
	Garbage   Purpose = "garbage"   // a made-up one, or another by which a fault shows what it did
	MadeUp    Purpose = "made-up"   // one that nobody gave, to who took the old one to the end of the watch: its refusals may be none that can be seen; or the name of the new one with such a value
	Control   Purpose = "control"   // what a canary or a proof shows, with its signature or its value spoilt: who takes it too checks nothing. Its event names no credential, since it is none.
	Anew      Purpose = "anew"      // the old credential, to the same, by something made with it after the revoke that nobody can have kept
)

// Invented reports whether what is shown for a purpose was never issued by anybody.
func (p Purpose) Invented() bool { return p == MadeUp || p == Control }

// Spoilt says of a probe that what it showed was not the credential that its event names, so that a refusal
// of it tells nothing of that.
func (p Probe) Spoilt() bool {
	return p.Purpose.Invented() || p.Purpose == Garbage
}

// Probe is one presentation of a credential by the harness itself. Probes are
// counted in the totals and never in flatness or budget.
type Probe struct {
	Purpose     Purpose `json:"purpose"`
	Outcome     Outcome `json:"outcome"`
	Status      string  `json:"status"`
	Latency     Offset  `json:"latency_ms"`
	CausedFetch bool    `json:"caused_fetch,omitempty"` // it taught the validator that it asked
	// Session says that no new connection was let in, and that one from before
	// the revoke is still served.
	Session      bool   `json:"session,omitempty"`
	Presentation string `json:"presentation,omitempty"` // how it was made: token made before the revoke, new connection, …
	// Replica is the address that answered, where the validator's name has several.
	Replica string `json:"replica,omitempty"`
}

// Source says who saw a decision.
type Source string

// The sources of observations.
const (
	FromLoad      Source = "load"
	FromConsumer  Source = "consumer"
	FromAuthority Source = "authority"
	FromProbe     Source = "probe"
)

// Counts are the decisions of one cell (presenter × validator × credential)
// in one time bucket. Counts of first attempts and of retries are kept apart:
// a retry that succeeds does not erase the failure that it hides.
type Counts struct {
	Source     Source `json:"source"`
	Presenter  string `json:"presenter"`
	Validator  string `json:"validator"`
	Credential string `json:"credential"`
	// Width is the bucket's length; the bucket begins at the event's offset.
	Width Offset `json:"width_ms"`

	Attempts      int64            `json:"attempts,omitempty"` // first attempts
	OK            int64            `json:"ok,omitempty"`
	AuthFailures  int64            `json:"auth_failures,omitempty"`
	Unavailable   int64            `json:"unavailable,omitempty"`
	HarnessErrors int64            `json:"harness_errors,omitempty"`
	Statuses      map[string]int64 `json:"statuses,omitempty"` // "401", "28P01", "refused", "timeout"
	Retries       int64            `json:"retries,omitempty"`  // attempts after the first
	RetriesOK     int64            `json:"retries_ok,omitempty"`

	// LongestLife is that of the tokens presented, by their own expiry; 0: nothing
	// tells it.
	LongestLife Offset `json:"longest_life_ms,omitempty"`

	// First and Last are the exact moments of the first and last auth failure
	// in this bucket; both are zero where there was none.
	FirstFailure Offset `json:"first_failure_ms,omitempty"`
	LastFailure  Offset `json:"last_failure_ms,omitempty"`
	// FailedSessions counts auth failures by session, where the presenter has sessions.
	FailedSessions map[string]int64 `json:"failed_sessions,omitempty"`
	// Latency holds [microseconds, count] pairs of first attempts.
	Latency [][2]int64 `json:"latency_us,omitempty"`
	// Examples are a few of the failures.
	Examples []Example `json:"examples,omitempty"`
}

// Example is one auth failure, kept to be looked at.
type Example struct {
	At      Offset `json:"at_ms"`
	Session string `json:"session,omitempty"`
	Status  string `json:"status"`
	// IssuedAt is when the presented token or session was made; zero if unknown.
	IssuedAt Offset `json:"issued_at_ms,omitempty"`
	Detail   string `json:"detail,omitempty"`
}

// Totals are the four counters that must agree, and what explains a
// difference: Scheduled = Sent − Retried + NotSent + Behind, Sent = Recorded, and
// Served lies between Sent − Unanswered and Sent. The harness's own probes are
// counted in all four.
type Totals struct {
	// Simulated says that all of it happened in virtual time.
	Simulated bool  `json:"simulated,omitempty"`
	Scheduled int64 `json:"scheduled"` // first attempts that were due, by the plan's rate
	Sent      int64 `json:"sent"`      // by the transport: attempts put on the wire, retries included
	Recorded  int64 `json:"recorded"`  // in this history: attempts counted, retries included
	Served    int64 `json:"served"`    // by the validators' own counters
	// NotSent were scheduled and held back, with the reason on record: a
	// session without a valid token. Retried is how many attempts were retries;
	// Probes is how many were the harness's own.
	NotSent int64 `json:"not_sent"`
	// Behind were due, and load had no time to begin them.
	Behind  int64 `json:"behind,omitempty"`
	Retried int64 `json:"retried"`
	Probes  int64 `json:"probes"`
	// Unanswered were sent and got no answer: they may or may not have been served.
	Unanswered int64 `json:"unanswered"`
	// Twice were decided by an authority and got no answer all the same: each is in
	// the history from both sides, and once in Recorded.
	Twice int64 `json:"twice,omitempty"`
	// Complete is false where a validator's own counter could not be read.
	Complete bool `json:"complete"`
}

// Counter is what a validator's own counter says that it served since the start.
type Counter struct {
	Service string `json:"service"`
	From    string `json:"from"` // where it was read
	Served  int64  `json:"served"`
	// AtLeast says that others use the service too: it may have served more.
	AtLeast bool   `json:"at_least,omitempty"`
	Missing string `json:"missing,omitempty"` // why it is not known; empty: it is
}

// Leaks is the outcome of the scan for secret values.
type Leaks struct {
	Searched int64    `json:"searched"` // bytes
	Hits     int64    `json:"hits"`
	Where    []string `json:"where,omitempty"`
	// Short is how many secrets were too short to be looked for as they are: only
	// forms of them that are long enough were.
	Short int64 `json:"short,omitempty"`
}
