package history

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// CellKey names what is counted and judged.
type CellKey struct {
	Source     Source
	Presenter  string
	Validator  string
	Credential string
}

// Bucket is one Counts with its beginning.
type Bucket struct {
	At Offset
	*Counts
}

// RateSince is what a client's rate was changed to, in requests per second, and when.
type RateSince struct {
	At   Offset
	Rate float64
}

// Reader is a party that read the secret or the key set, by its own name.
type Reader struct {
	Name string
	What string
	At   string // the service, as Store
	Rhythm
}

// View is the state that a history tells: who holds what, who emits what, who
// read the secret, and what was counted. The same View serves the running
// rotation (its gates), the listeners and the judge, so that all of them mean
// the same by "taken" or "switched". It is not safe for concurrent use.
type View struct {
	Now   Offset // of the last event
	Phase Phase
	// PhaseStart is when each phase began.
	PhaseStart map[Phase]Offset
	// Steps is when each step of each credential was done: Steps["emit"]["k2"].
	Steps map[string]map[string]Offset
	// Tried is when each step of each credential was last tried, done or not.
	Tried map[string]map[string]Offset
	// Holds says which credentials a validator takes, and since when it learned each.
	Holds map[string]map[string]Offset
	// Learned is when each validator first took each credential, whatever became of
	// it later.
	Learned map[string]map[string]Offset
	// Forgot says when a validator stopped taking a credential.
	Forgot map[string]map[string]Offset
	// Emitting is the credential that each emitter uses, with the moments of its switches.
	Emitting map[string]string
	Switched map[string]map[string]Offset
	// Published is the key set that each issuer publishes, and since when.
	Published   map[string][]string
	PublishedAt map[string]map[string]Offset
	// TurnedAway are the issuers whose answer to the last look was that too much is asked (429):
	// what they publish now nobody knows.
	TurnedAway map[string]bool
	// Sets are the key sets that were found at issuers when they were last looked at.
	Sets map[string]*KeySet
	// Fetches is how many key sets each validator has fetched.
	Fetches map[string]int64
	// LastFetch is when each validator last fetched one.
	LastFetch map[string]Offset
	// Fetching is how often each validator asks for the key set, or for the secret
	// that it shares, with an answer or without.
	Fetching map[string]*Rhythm
	// OnMiss are validators that were seen to fetch because they were shown a
	// credential that they did not have, and to take it then.
	OnMiss map[string]bool
	// Unread is what speaks against each log that the run reads and understands nothing of, by service.
	Unread map[string]string
	// Kept are the longest times for which a cache before an issuer or a gateway may serve its copy, as its answers say.
	Kept map[string]Offset
	// Readers are those who read the secret or the key set, by name and what they read.
	Readers map[string]*Reader
	// Probes are the last probe of each credential at each validator.
	Probes map[string]map[string]Probe
	// Answers are all that was said to the probes of each purpose.
	Answers map[AnswersKey]*Answers
	// Cells are the counted observations.
	Cells map[CellKey][]Bucket
	// Counted is until when each source has counted: later decisions of it are
	// still on their way. Failed is its last auth failure.
	Counted map[Source]Offset
	Failed  map[Source]Offset
	// Lives is the longest life of what each presenter was given, as far as it tells.
	Lives map[string]Offset
	// Rates are the changes of each client's rate, in order.
	Rates map[string][]RateSince
	// Cut is when an authority first ended a session of a presenter, by credential.
	Cut map[string]map[string]Offset
	// Exited are services that ended, and when.
	Exited map[string]Offset
	// Held are the times in which a rotation waited for a person, in order.
	Held []Gap

	living       *livingView          // nil: it is of a history that is there
	keys         []CellKey            // of the cells, in their order; nil: they are to be sorted
	keysAt       map[string][]CellKey // the same by validator, of so many in all
	keysOf       int
	disturbances []faultSpan
	failing      bool               // a look was answered 5xx
	ofFetch      map[[2]string]bool // validator, credential: it was seen to fetch it, and says nothing itself
}

// NewView is the state before the first event.
func NewView() *View {
	return &View{
		PhaseStart: map[Phase]Offset{},
		Steps:      map[string]map[string]Offset{},
		Tried:      map[string]map[string]Offset{},
		Holds:      map[string]map[string]Offset{},
		Learned:    map[string]map[string]Offset{},
		Forgot:     map[string]map[string]Offset{},
		Emitting:   map[string]string{},
		Switched:   map[string]map[string]Offset{},
		Fetches:    map[string]int64{},
		LastFetch:  map[string]Offset{},
		Fetching:   map[string]*Rhythm{},
		OnMiss:     map[string]bool{},
		Unread:     map[string]string{},
		Kept:       map[string]Offset{},
		Readers:    map[string]*Reader{},
		Probes:     map[string]map[string]Probe{},
		Answers:    map[AnswersKey]*Answers{},
		Published:  map[string][]string{}, PublishedAt: map[string]map[string]Offset{},
		TurnedAway: map[string]bool{}, Sets: map[string]*KeySet{},
		Cells: map[CellKey][]Bucket{}, Counted: map[Source]Offset{}, Failed: map[Source]Offset{},
		Lives: map[string]Offset{}, Rates: map[string][]RateSince{}, Cut: map[string]map[string]Offset{},
		Exited: map[string]Offset{}, ofFetch: map[[2]string]bool{},
	}
}

// ViewOf replays a history.
func ViewOf(h *History) *View {
	v := NewView()
	for _, e := range h.Events {
		v.Apply(e)
	}
	return v
}

func put(m map[string]map[string]Offset, a, b string, at Offset) {
	if m[a] == nil {
		m[a] = map[string]Offset{}
	}
	m[a][b] = at
}

// Apply takes one more event into account.
func (v *View) Apply(e Event) {
	if e.At > v.Now {
		v.Now = e.At
	}
	switch e.Kind {
	case KindPhase:
		v.Phase = e.Phase
		v.PhaseStart[e.Phase] = e.At
	case KindCredential:
		v.rename(e.Identifier, e.Credential)
	case KindStep:
		put(v.Tried, e.Step, e.Credential, e.At)
		if e.Detail == "" {
			put(v.Steps, e.Step, e.Credential, e.At)
		}
	case KindFetched:
		v.Fetches[e.Service] += max(1, e.Count)
		v.LastFetch[e.Service] = e.At
		v.fetched(e)
	case KindFetchFailed:
		v.fetched(e)
	case KindLearned:
		put(v.Holds, e.Service, e.Credential, e.At)
		v.ofFetch[[2]string{e.Service, e.Credential}] = e.What == OfFetch
		if _, before := v.Learned[e.Service][e.Credential]; !before {
			put(v.Learned, e.Service, e.Credential, e.At)
		}
	case KindForgot:
		delete(v.Holds[e.Service], e.Credential)
		put(v.Forgot, e.Service, e.Credential, e.At)
	case KindEmitting: // one that is started anew says it again
		if v.Emitting[e.Service] != e.Credential {
			v.Emitting[e.Service] = e.Credential
			put(v.Switched, e.Service, e.Credential, e.At)
		}
	case KindPublished:
		for _, c := range e.Credentials {
			if !slices.Contains(v.Published[e.Service], c) {
				put(v.PublishedAt, e.Service, c, min(cmp.Or(e.Began, e.At), e.At))
			}
		}
		v.Published[e.Service] = e.Credentials
	case KindLooked:
		v.copies(&e)
		if e.Reader == "" && e.Set != nil {
			v.TurnedAway[e.Service] = e.Set.Status == StatusTooMany
			if e.Set.Readable() {
				v.Sets[e.Service] = e.Set
			}
		}
	case KindProbe:
		if v.Probes[e.Service] == nil {
			v.Probes[e.Service] = map[string]Probe{}
		}
		v.Probes[e.Service][e.Credential] = *e.Probe
		key := AnswersKey{e.Service, e.Credential, e.Probe.Purpose}
		if v.Answers[key] == nil {
			v.Answers[key] = &Answers{}
		}
		v.Answers[key].Add(e.At, e.Probe)
		v.taughtBy(e)
	case KindUnread:
		if v.Unread[e.Service] = e.Detail; e.Detail == "" {
			delete(v.Unread, e.Service)
		}
	case KindExit:
		v.Exited[e.Service] = e.At
		v.goneAway(e.Service)
	case KindFault:
		v.disturb(e.At, e.Fault)
	case KindOperator:
		if e.Began > 0 && e.Began < e.At {
			v.Held = append(v.Held, Gap{e.Began, e.At})
		}
	case KindRead:
		key := e.Reader + " " + e.What
		r := v.Readers[key]
		if r == nil {
			r = &Reader{Name: e.Reader, What: e.What, At: e.Service}
			v.Readers[key] = r
		}
		v.beats(&r.Rhythm, &e)
	case KindRate:
		v.Rates[e.Service] = append(v.Rates[e.Service], RateSince{e.At, *e.Rate})
	case KindEnded:
		if _, before := v.Cut[e.Reader][e.Credential]; !before && e.What != Idle {
			put(v.Cut, e.Reader, e.Credential, e.At)
		}
	case KindLived:
		v.Lives[e.Reader] = max(v.Lives[e.Reader], e.At-e.Began)
	case KindCounts:
		c := e.Counts
		key := CellKey{c.Source, c.Presenter, c.Validator, c.Credential}
		v.Cells[key] = append(v.Cells[key], Bucket{At: e.At, Counts: c})
		v.Lives[c.Presenter] = max(v.Lives[c.Presenter], c.LongestLife)
		v.Counted[c.Source] = max(v.Counted[c.Source], e.At+c.Width)
		if c.AuthFailures > 0 {
			v.Failed[c.Source] = max(v.Failed[c.Source], e.At, c.LastFailure)
		}
	}
	if v.living != nil {
		v.living.grow(v, &e)
	}
}

// copies takes into account what a look says of a cache on the way. What that serves while it gets no answer counts once
// the issuer was seen to give none.
func (v *View) copies(e *Event) {
	switch set := e.Set; {
	case set == nil:
	case strings.HasPrefix(set.Status, "5"):
		v.failing = true
	case set.Readable() && set.Kept > 0:
		kept := set.Kept
		if v.failing {
			kept += set.OnError
		}
		v.Kept[e.Service] = max(v.Kept[e.Service], kept)
	}
}

// Beats is how many fetches and reads were seen: it changes with each.
func (v *View) Beats() (n int64) {
	for _, r := range v.Readers {
		n += r.Count
	}
	for _, r := range v.Fetching {
		n += r.Count
	}
	return n
}

// fetched takes a validator's request for what it checks by into account.
func (v *View) fetched(e Event) {
	r := rhythm(v.Fetching, e.Service)
	r.asked = len(v.Steps["revoke"]) > 0
	v.beats(r, &e)
}

// beats takes what an event tells of a party into its rhythm.
func (v *View) beats(r *Rhythm, e *Event) {
	for at := range e.Times() {
		r.beat(at, v.Disturbed(r.Last, at))
	}
}

// news is how long after a fetch it is known at the latest, where it is waited for.
const news = Offset(500 * time.Millisecond)

// taughtBy sees a validator learn from a probe: it took what it had not had, and
// fetched for it. One that had it already has only fetched in the same moment.
func (v *View) taughtBy(e Event) {
	if !e.Probe.CausedFetch || e.Probe.Outcome != OK {
		return
	}
	if learned, had := v.Learned[e.Service][e.Credential]; !had || learned >= e.At-e.Probe.Latency-news {
		v.OnMiss[e.Service] = true
	}
}

// OnlyFetched reports whether a validator is taken to hold a credential only because
// it fetched a set with it: no log, no probe and no request has shown that it takes it.
func (v *View) OnlyFetched(validator, credential string) bool {
	if !v.ofFetch[[2]string{validator, credential}] {
		return false
	}
	for key, answers := range v.Answers {
		if key.Validator == validator && key.Credential == credential && answers.Taken > 0 {
			return false
		}
	}
	for key, buckets := range v.Cells {
		if key.Validator == validator && key.Credential == credential && slices.ContainsFunc(buckets, func(b Bucket) bool { return b.OK > 0 }) {
			return false
		}
	}
	return true
}

// LastSwitch is when the last of the emitters switched to a credential, of those
// that did.
func (v *View) LastSwitch(credential string) (last Offset) {
	for _, switched := range v.Switched {
		last = max(last, switched[credential])
	}
	return last
}

// OnHold is for how long, between two moments, a rotation waited for a person: the
// page's clock stands still then, and everything else goes on.
func (v *View) OnHold(from, to Offset) (held Offset) {
	for _, g := range v.Held {
		held += max(0, min(g.To, to)-max(g.From, from))
	}
	return held
}

// FirstRefusedBy reports whether a presenter was refused for the first time in the
// second before a moment, as far as counts tell.
func (v *View) FirstRefusedBy(presenter string, at Offset) bool {
	const second = Offset(time.Second)
	first := Offset(-1)
	for key := range v.Cells {
		if key.Presenter != presenter || key.Source == FromProbe {
			continue
		}
		if sum := v.Sum(key, 0, v.Now+1); sum.AuthFailures > 0 && (first < 0 || sum.FirstFailure < first) {
			first = sum.FirstFailure
		}
	}
	return first >= 0 && first >= at-second && first <= at
}

// FirstAfterCut reports whether a moment is that of the first that a presenter did after
// an authority had ended sessions of it: it had to, and need not have done so by itself.
func (v *View) FirstAfterCut(presenter string, at Offset) bool {
	const about = Offset(200 * time.Millisecond)
	for _, cut := range v.Cut[presenter] {
		if at < cut-about {
			continue
		}
		tried := false
		for key := range v.Cells {
			tried = tried || key.Presenter == presenter && key.Source != FromProbe && v.Sum(key, cut+about, at-about).Attempts > 0
		}
		if !tried {
			return true
		}
	}
	return false
}

// Presented reports whether somebody presents a credential itself, as seen from a source, and
// whether it did so in (from, to), but for what belongs to the two moments.
func (v *View) Presented(source Source, presenter string, from, to Offset) (ever, meanwhile bool) {
	const about = Offset(500 * time.Millisecond)
	for key := range v.Cells {
		if key.Source == source && key.Presenter == presenter {
			ever = true
			meanwhile = meanwhile || to-about > from+about && v.Sum(key, from+about, to-about).Attempts > 0
		}
	}
	return ever, meanwhile
}

// LastTaken is when a presenter was last taken anywhere with a credential before a
// moment; false: it never was.
func (v *View) LastTaken(source Source, presenter, credential string, before Offset) (last Offset, was bool) {
	for key, buckets := range v.Cells {
		if key.Source != source || key.Presenter != presenter || key.Credential != credential {
			continue
		}
		for _, b := range buckets {
			if b.OK > 0 && b.At < before {
				last, was = max(last, b.At+b.Width), true
			}
		}
	}
	return last, was
}
