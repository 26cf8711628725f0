package history

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// A Damaged history has a line that cannot be read, or that lacks what its kind
// of event needs. Nothing of such a history is judged.
type Damaged struct {
	File string // where it was read from; empty: not from a file
	Line int    // counts from 1; 0: the history as a whole
	Err  error  // what is wrong with it
}

// Error is "file:line: what is wrong", or "line N: what is wrong" where no file is known.
func (d *Damaged) Error() string {
	var at []string
	switch {
	case d.File != "" && d.Line > 0:
		at = append(at, fmt.Sprintf("%s:%d", d.File, d.Line))
	case d.File != "":
		at = append(at, d.File)
	case d.Line > 0:
		at = append(at, fmt.Sprintf("line %d", d.Line))
	}
	return strings.Join(append(at, d.Err.Error()), ": ")
}

// Unwrap is what is wrong with the line.
func (d *Damaged) Unwrap() error { return d.Err }

const (
	// maxFigure bounds each count of an event, so that sums over a whole history
	// stay exact: a million million attempts in one bucket are no measurement.
	maxFigure = 1_000_000_000_000
	// maxOffset bounds offsets and lengths of time, in milliseconds: a hundred
	// years. Sums of a few of them stay within a time.Duration.
	maxOffset = 100 * 365 * 24 * 3600 * 1000
)

// need is what one kind of event must have beside its time.
type need struct {
	what  string
	there func(*Event) bool
}

// The needs that several kinds of events share.
var (
	needPhase      = need{"phase", func(e *Event) bool { return e.Phase != "" }}
	needService    = need{"service", func(e *Event) bool { return e.Service != "" }}
	needCredential = need{"credential", func(e *Event) bool { return e.Credential != "" }}
	needStep       = need{"step", func(e *Event) bool { return e.Step != "" }}
	needReader     = need{"reader", func(e *Event) bool { return e.Reader != "" }}
	needPlan       = need{"plan", func(e *Event) bool { return len(e.Plan) > 0 }}
	needGate       = need{"gate", func(e *Event) bool { return e.Gate != nil }}
	needDecision   = need{"decision", func(e *Event) bool { return e.Decision != nil }}
	needFault      = need{"fault", func(e *Event) bool { return e.Fault != nil }}
	needAgreement  = need{"agreement", func(e *Event) bool { return e.Agreement != nil }}
	needTotals     = need{"totals", func(e *Event) bool { return e.Totals != nil }}
	needLeaks      = need{"leaks", func(e *Event) bool { return e.Leaks != nil }}
	needLogged     = need{"logged", func(e *Event) bool { return e.Logged != nil }}
	needShard      = need{"shard", func(e *Event) bool { return e.Shard != nil }}
	needMachine    = need{"machine", func(e *Event) bool { return e.Machine != nil }}
	needRate       = need{"rate", func(e *Event) bool { return e.Rate != nil }}
	needSet        = need{"set", func(e *Event) bool { return e.Set != nil }}
	needLedger     = need{"ledger", func(e *Event) bool { return e.Ledger != nil }}
	needCounts     = need{"counts", func(e *Event) bool { return e.Counts != nil }}
	needProbe      = need{"probe", func(e *Event) bool { return e.Probe != nil }}
)

// needs are what an event of each kind must have. Of a kind that is not in this
// table, as another version may write one, nobody reads any part.
var needs = map[Kind][]need{
	KindPlan:       {needPlan},
	KindService:    {needService},
	KindExit:       {needService},
	KindPhase:      {needPhase},
	KindCredential: {needCredential},
	KindStep:       {needStep, needCredential},
	KindGate:       {needGate},
	KindDecision:   {needDecision},
	KindFault:      {needFault},
	KindLeft:       {needStep, needCredential},
	KindOperator:   {},
	KindRotator:    {},
	KindAgreement:  {needAgreement},
	KindRenewed:    {needService},
	KindMoment:     {needService},
	KindTotals:     {needTotals},
	KindLeaks:      {needLeaks},
	KindLogged:     {needService, needLogged},
	KindLedger:     {needLedger},
	KindTrouble:    {},
	KindClockSet:   {},
	KindSaid:       {needService},
	KindMachine:    {needMachine},
	KindRate:       {needService, needRate},
	KindShard:      {needService, needShard},
	KindEnd:        {},

	KindFetched:     {needService},
	KindFetchFailed: {needService},
	KindLearned:     {needService, needCredential},
	KindForgot:      {needService, needCredential},
	KindLoaded:      {needService},
	KindDelivered:   {needService},
	KindPublished:   {needService},
	KindUnseen:      {needService},
	KindUnread:      {needService},
	KindEmitting:    {needService, needCredential},
	KindEnded:       {needService},
	KindLived:       {needService},
	KindDenied:      {needService},
	KindLocked:      {needService},
	KindUnlocked:    {needService},
	KindLooked:      {needService, needSet},
	KindPod:         {needService},
	KindRead:        {needReader},

	KindCounts:  {needCounts},
	KindProbe:   {needService, needProbe},
	KindSession: {needService},
}

// Kinds are all kinds of events that this version writes, sorted.
func Kinds() []Kind { return slices.Sorted(maps.Keys(needs)) }

// check says what an event lacks that its kind needs, or which of its figures
// cannot be; nil: nothing.
func (e *Event) check() error {
	if e.Kind == "" {
		return errors.New("an event without a kind")
	}
	var lacks []string
	for _, n := range needs[e.Kind] {
		if !n.there(e) {
			lacks = append(lacks, n.what)
		}
	}
	if len(lacks) > 0 {
		return fmt.Errorf("an event of kind %q needs %q, and has none", e.Kind, strings.Join(lacks, `", "`))
	}
	if e.Kind == KindPhase && e.Phase != Rollback && !slices.Contains(Phases(), e.Phase) {
		return fmt.Errorf("phase %q is none of a rotation", e.Phase)
	}
	if err := figures("", figure{"count", e.Count}); err != nil {
		return err
	}
	switch {
	case e.Counts != nil:
		return e.Counts.check()
	case e.Probe != nil:
		return positive("probe.latency_ms", e.Probe.Latency)
	case e.Fault != nil:
		return e.Fault.check()
	case e.Totals != nil:
		return e.Totals.check()
	case e.Leaks != nil:
		return figures("leaks.", figure{"searched", e.Leaks.Searched}, figure{"hits", e.Leaks.Hits}, figure{"short", e.Leaks.Short})
	case e.Ledger != nil:
		return e.Ledger.check()
	}
	return nil
}

func (c *Counts) check() error {
	if err := positive("counts.width_ms", c.Width); err != nil {
		return err
	}
	for _, n := range []figure{
		{"attempts", c.Attempts}, {"ok", c.OK}, {"auth_failures", c.AuthFailures}, {"unavailable", c.Unavailable},
		{"harness_errors", c.HarnessErrors}, {"retries", c.Retries}, {"retries_ok", c.RetriesOK},
	} {
		if err := count("counts."+n.name, n.n); err != nil {
			return err
		}
	}
	for status, n := range c.Statuses {
		if err := count("counts.statuses."+status, n); err != nil {
			return err
		}
	}
	for session, n := range c.FailedSessions {
		if err := count("counts.failed_sessions."+session, n); err != nil {
			return err
		}
	}
	for _, pair := range c.Latency {
		if err := cmp.Or(count("counts.latency_us", pair[0]), count("counts.latency_us", pair[1])); err != nil {
			return err
		}
	}
	return nil
}

func (f *Fault) check() error {
	switch f.Stage {
	case FaultInjected, FaultEvidence, FaultUndone, FaultFailed:
		return nil
	}
	return fmt.Errorf("fault.stage is %q, want %s, %s, %s or %s", f.Stage, FaultInjected, FaultEvidence, FaultUndone, FaultFailed)
}

func (t *Totals) check() error {
	return figures("totals.",
		figure{"scheduled", t.Scheduled}, figure{"sent", t.Sent}, figure{"recorded", t.Recorded}, figure{"served", t.Served},
		figure{"not_sent", t.NotSent}, figure{"behind", t.Behind}, figure{"retried", t.Retried}, figure{"probes", t.Probes},
		figure{"unanswered", t.Unanswered}, figure{"twice", t.Twice})
}

func (l *Ledger) check() error {
	for _, i := range l.Irregular {
		if err := figures("ledger.irregular.", figure{"count", i.Count}); err != nil {
			return err
		}
	}
	return figures("ledger.",
		figure{"orders", l.Orders}, figure{"done", l.Done}, figure{"effects", l.Effects},
		figure{"replayed", l.Replayed}, figure{"untold", l.Untold})
}

// figure is a number with the name that the file has for it.
type figure struct {
	name string
	n    int64
}

// figures says which of some numbers is too large to be reckoned with. They may
// be less than zero: a total that is the difference of two is, where these do
// not fit, and the judge says so.
func figures(prefix string, all ...figure) error {
	for _, f := range all {
		if f.n < -maxFigure || f.n > maxFigure {
			return fmt.Errorf("%s%s is %d, which is more than can be counted", prefix, f.name, f.n)
		}
	}
	return nil
}

// count says that a number is no count.
func count(name string, n int64) error {
	if n < 0 || n > maxFigure {
		return fmt.Errorf("%s is %d, want a count from 0 to %d", name, n, int64(maxFigure))
	}
	return nil
}

func positive(name string, o Offset) error {
	if o < 0 {
		return fmt.Errorf("%s is %s, and no length of time is less than 0", name, o.Wall())
	}
	return nil
}

// inRange reports whether milliseconds can be an offset.
func inRange(ms float64) bool { return math.Abs(ms) <= maxOffset }
