package judge

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// Outcome is what a rule, or the whole run, came to.
type Outcome string

// The outcomes. Precedence over rules: fail, inconclusive, pass.
const (
	Pass         Outcome = "pass"
	Fail         Outcome = "fail"
	Inconclusive Outcome = "inconclusive"
	Skipped      Outcome = "skipped" // the rule has nothing to hold here
)

// Flatness answers the tool's question.
type Flatness string

// The answers.
const (
	Flat       Flatness = "flat"
	NotFlat    Flatness = "not_flat"
	CannotTell Flatness = "cannot_tell"
)

// Rule is the outcome of one rule, with the reason in a sentence.
type Rule struct {
	ID      string  `json:"id"`
	Outcome Outcome `json:"outcome"`
	Detail  string  `json:"detail,omitempty"`
}

// Level is how much a finding weighs: an error fails the run.
type Level string

// The levels, as SARIF has them.
const (
	Error   Level = "error"
	Warning Level = "warning"
	Note    Level = "note"
)

// Finding is a rule broken, in figures. Times are wall time since the start of
// the run, in milliseconds; the message and the fix speak in page time.
type Finding struct {
	RuleID     string `json:"ruleId"`               // the rule that did not hold
	Level      Level  `json:"level"`                // an error fails the run
	Message    string `json:"message"`              // one sentence for a person
	Presenter  string `json:"presenter,omitempty"`  // who presented the credential
	Validator  string `json:"validator,omitempty"`  // who checked it
	Consumer   string `json:"consumer,omitempty"`   // the party to look at
	Credential string `json:"credential,omitempty"` // its name in the run: k1, k2
	// CausedBy is the step, phase or fault that it began with: emit, revoke, kill.
	CausedBy string `json:"caused_by,omitempty"`
	// Cause is the mechanism: one of the Cause constants.
	Cause       Cause   `json:"cause,omitempty"`
	FirstPhase  string  `json:"first_phase,omitempty"`              // the one in which it was first seen
	FirstMS     int64   `json:"first_ms"`                           // when it was first seen
	LastMS      int64   `json:"last_ms"`                            // when it was last seen
	Count       int64   `json:"count"`                              // how often
	BudgetSpent float64 `json:"error_budget_spent_ratio,omitempty"` // 1: all of it
	Fix         string  `json:"fix,omitempty"`                      // what to change, in figures where they are known
}

// HasError reports whether one of the findings fails the run.
func HasError(findings []Finding) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.Level == Error })
}

// PhaseSpan is when a phase ran.
type PhaseSpan struct {
	Name    history.Phase `json:"name"`
	StartMS int64         `json:"start_ms"`
	EndMS   int64         `json:"end_ms"`
}

// Span is when a phase ran.
func (p PhaseSpan) Span() (history.Offset, history.Offset) {
	return history.Milliseconds(p.StartMS), history.Milliseconds(p.EndMS)
}

// CredentialCounts are the first attempts with one credential.
type CredentialCounts struct {
	Attempts     int64 `json:"attempts"`
	AuthFailures int64 `json:"auth_failures"`
}

// Cell is what was counted for one presenter and validator in one phase. First
// attempts only; latencies are never scaled.
type Cell struct {
	Presenter    string                      `json:"presenter"`
	Validator    string                      `json:"validator"`
	Phase        history.Phase               `json:"phase"`
	Source       history.Source              `json:"source"`
	Attempts     int64                       `json:"attempts"`
	AuthFailures int64                       `json:"auth_failures"`
	Unavailable  int64                       `json:"unavailable"`
	Retries      int64                       `json:"retries,omitempty"`
	RetriesOK    int64                       `json:"retries_ok,omitempty"`
	Statuses     map[string]int64            `json:"statuses"`
	Credentials  map[string]CredentialCounts `json:"credentials"`
	P50MS        float64                     `json:"p50_ms"`
	P99MS        float64                     `json:"p99_ms"`
}

// FaultReport is one fault from injection to undoing.
type FaultReport struct {
	Kind       string             `json:"kind"`
	Target     string             `json:"target"`
	From       string             `json:"from,omitempty"` // of a target that is an edge
	To         string             `json:"to,omitempty"`
	InjectedMS int64              `json:"injected_ms"`
	Evidence   map[string]float64 `json:"evidence"`
	Took       bool               `json:"took"`
	UndoneMS   int64              `json:"undone_ms"`
	Detail     string             `json:"detail,omitempty"`
	By         string             `json:"by,omitempty"` // who ordered it, where that was not the scenario: "operator"
}

// InEffect reports whether it was, for some time between two moments.
func (r FaultReport) InEffect(from, to history.Offset) bool {
	begun := r.InjectedMS >= 0 && r.InjectedMS <= to.Milliseconds()
	return begun && (r.UndoneMS < 0 || r.UndoneMS >= from.Milliseconds())
}

// OperatorAction is something that a person did while the run was under way.
type OperatorAction struct {
	AtMS int64 `json:"at_ms"`
	// WaitedMS is for how long the rotation had waited for it, in wall time: the page's
	// clock stood still for that time. 0: it was not waited for.
	WaitedMS int64         `json:"waited_ms,omitempty"`
	Phase    history.Phase `json:"phase,omitempty"`
	Did      string        `json:"did"`
}

// ValidatorReport is how long a validator really took. A missing time (-1)
// means that it never did within the run.
type ValidatorReport struct {
	Name   string `json:"name"`
	OnPage bool   `json:"on_page"`
	// LearnedAfterMS counts from accept, or, for one that learns when it meets
	// the credential, from the first time that it was shown.
	LearnedAfterMS int64 `json:"learned_after_ms"`
	ForgotAfterMS  int64 `json:"forgot_after_ms"` // from revoke
	BoundMS        int64 `json:"bound_ms"`        // G1 in wall time; -1: no bound
	ForgetBoundMS  int64 `json:"forget_bound_ms"` // G3 in wall time; -1: no bound
	// TurnedAway is how many of its requests for the key set were answered 429.
	TurnedAway int64 `json:"turned_away,omitempty"`
}

// LeftStep is a step that is still to be taken by hand, to take the rotation back.
type LeftStep struct {
	Step       string `json:"step"`
	Credential string `json:"credential"`
	Identifier string `json:"identifier"`
	Does       string `json:"does"` // what the team does for it
}

// RollbackReport is the way back, where one was taken.
type RollbackReport struct {
	Happened   bool   `json:"happened"`
	Why        string `json:"why,omitempty"`
	AskedFor   bool   `json:"asked_for,omitempty"` // by the operator or the scenario
	From       string `json:"from,omitempty"`
	DecidedMS  int64  `json:"decided_ms,omitempty"`
	DoneMS     int64  `json:"done_ms,omitempty"`
	Proven     bool   `json:"proven"`
	DecisionMS int64  `json:"decision_ms,omitempty"` // from the first observation over the limit to the decision
	// FlatMS is from the decision to the last refusal after it: how long it took
	// until failures were flat again. 0: nothing was refused any more; -1: they
	// were not flat when it ended.
	FlatMS int64 `json:"flat_ms,omitempty"`
	// Left are the steps that are still to be taken by hand, in their order.
	Left []LeftStep `json:"left,omitempty"`
	// Agreement is whether authority and store agreed at its end: yes, no, or
	// that nobody could say; Differences are where they did not.
	Agreement   string   `json:"agreement,omitempty"`
	Differences []string `json:"differences,omitempty"`
	// StillTaken are validators that took the withdrawn credential at its end, as
	// one may that has not forgotten it yet.
	StillTaken []string `json:"still_taken,omitempty"`
}

// Whether authority and store agree.
const (
	Agree       = "yes"
	Disagree    = "no"
	NotCompared = "not compared"
)

// Verdict is what a history means.
type Verdict struct {
	Verdict      Outcome           `json:"verdict"`
	AuthFailures Flatness          `json:"auth_failures"`
	Why          string            `json:"why"` // one sentence for a tired reader
	Rules        []Rule            `json:"rules"`
	Findings     []Finding         `json:"findings"`
	Phases       []PhaseSpan       `json:"phases"`
	Cells        []Cell            `json:"cells"`
	Gates        []history.Gate    `json:"gates"`
	Faults       []FaultReport     `json:"faults"`
	Validators   []ValidatorReport `json:"validators"`
	Pods         []PodReport       `json:"pods,omitempty"` // of services in a cluster
	Budget       Budget            `json:"error_budget"`
	Rollback     RollbackReport    `json:"rollback"`
	Ledger       map[string]int64  `json:"ledger"`
	Leaks        history.Leaks     `json:"leaks"`
	Totals       Totals            `json:"totals"`
	Operator     []OperatorAction  `json:"operator,omitempty"`
}

// Totals are the four counters, and the auth failures among first attempts.
type Totals struct {
	history.Totals
	AuthFailures int64 `json:"auth_failures"`
}

// Cause is the mechanism behind a finding, found in what happened.
type Cause string

// The causes that the judge tells apart.
const (
	CauseStaleCache       Cause = "stale-cache"       // the validator did not fetch in time
	CauseSharedCache      Cause = "shared-cache"      // it fetched, and a cache on the way answered with an old set
	CauseLatePublish      Cause = "late-publish"      // the emitter published the new credential late
	CauseSourceDown       Cause = "source-down"       // it asked for the set, and got no answer
	CauseTurnedAway       Cause = "turned-away"       // it asked, or too many did, and was answered 429
	CauseNotInSet         Cause = "not-in-set"        // it asked for the set, and what it got lacked a credential in use
	CauseSameETag         Cause = "same-etag"         // the set changed and its ETag did not
	CauseUnusableSet      Cause = "unusable-set"      // it could not read a key of the set, and did without the others
	CauseAmbiguousKid     Cause = "ambiguous-kid"     // the set has one kid twice, and it took the wrong one
	CauseNoAlg            Cause = "no-alg"            // the new key came without its algorithm
	CauseSlowSet          Cause = "slow-key-set"      // the set was answered late, or not at all, while it was waited for
	CauseOneSlot          Cause = "one-slot"          // it fetched both and kept one
	CauseNotActive        Cause = "not-active-yet"    // the new credential was made, and not taken yet where it is first shown
	CauseNotAccepted      Cause = "not-accepted"      // the team's own rotator had in use what was accepted later, or never
	CauseWithoutEffect    Cause = "without-effect"    // a step said that it was done, and what it was to do was not
	CauseLacksRights      Cause = "lacks-rights"      // the new credential is taken, and may not do what the old one may
	CauseNotDestroyed     Cause = "not-destroyed"     // what was revoked could not be removed
	CauseTokenCache       Cause = "token-cache"       // it keeps checked tokens, and not keys
	CauseSetNotUsed       Cause = "set-not-used"      // it fetches sets, and goes on with keys that it had
	CauseTakesAnything    Cause = "takes-anything"    // it takes what nobody gave
	CauseSomeReplicas     Cause = "some-replicas"     // some of its replicas had it, and others had not
	CauseNeverLearned     Cause = "never-learned"     // it never took the new credential
	CauseFlagDay          Cause = "flag-day"          // accept, emit and revoke fell together
	CauseOutlived         Cause = "outlived-key"      // what was made with the old credential outlived it
	CauseEarlySwitch      Cause = "early-switch"      // an emitter used the new credential before it was told to
	CauseNotSwitched      Cause = "not-switched"      // an emitter went on with the old credential
	CauseWentBack         Cause = "went-back"         // an emitter left the old credential, and was given it back
	CauseKeptRevoked      Cause = "kept-revoked"      // the revoked credential was still taken
	CauseServiceDown      Cause = "service-down"      // nothing answered: it had ended, was stopped, or nobody listened there
	CauseFailing          Cause = "failing"           // it answered, and with an error of its own (5xx)
	CauseTimedOut         Cause = "timed-out"         // it was there, and its answers came too late or not at all
	CauseReset            Cause = "reset"             // connections ended before the answer did
	CauseRefusedBehind    Cause = "refused-behind"    // it failed its callers because its own credential was refused
	CauseInsideTheFetch   Cause = "inside-fetch"      // refused while the fetch that it caused was under way
	CauseNotIdempotent    Cause = "not-idempotent"    // it was tried again, and nothing said that it was the same
	CauseKeyScoped        Cause = "key-scoped"        // an idempotency key was known with the other credential only
	CauseAfterEffect      Cause = "after-effect"      // what was asked for was done, and the answer was that it was not
	CauseCooldown         Cause = "cooldown"          // it had just fetched, and may not do so again yet
	CauseReusedKid        Cause = "reused-kid"        // the new key has the name of the old one
	CauseOneSignature     Cause = "one-signature"     // of several signatures the receiver looked at one
	CauseKeptSessions     Cause = "kept-sessions"     // a session that was made with the revoked credential was still served
	CauseCutOff           Cause = "cut-off"           // sessions in use were ended with the credential that they were made with
	CauseClockSkew        Cause = "clock-skew"        // a clock was further off than the validator allows for
	CauseMissingKid       Cause = "missing-kid"       // what was presented did not say with which key it was made
	CauseOldKid           Cause = "old-kid"           // what was made with the new key was named after the old one
	CauseWrongAlgorithm   Cause = "wrong-algorithm"   // the new key is of a type that the validator does not take
	CauseBadSecret        Cause = "bad-secret"        // the value was spoiled on its way: a newline at its end, cut off, quoted, encoded twice
	CauseOtherEnvironment Cause = "other-environment" // the value is that of another environment
	CauseLockedOut        Cause = "locked-out"        // an authority refused everybody, since somebody was refused too often
	CausePoisonedPool     Cause = "poisoned-pool"     // a pooler let nobody in, since its database had refused what it logged in with
	CausePutBack          Cause = "put-back"          // somebody gave a login its old password back
	CauseOtherRotation    Cause = "other-rotation"    // another rotation of the same secret was under way
	CauseNotTheKey        Cause = "not-the-key"       // what was made with the new key was refused, and not for its key
	CauseUnknown          Cause = "unknown"

	// CauseTooManyConns is that there was no room for another connection; the password had no
	// part in it.
	CauseTooManyConns Cause = "too-many-connections"
)
