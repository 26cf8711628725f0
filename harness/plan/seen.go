package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// unsure is the precision of a moment, in wall time: of a log line, a timer, a loaded machine. Only
// what exceeds it contradicts a page.
const unsure = 500 * time.Millisecond

// Sight is what a run has seen until now, with the names of its two credentials; New is empty before
// one is made.
type Sight struct {
	View     *history.View
	Old, New string
}

// BoundsSeen are the Bounds of parties on the page, with each figure replaced that the run saw to be
// larger than the page or a library says: how often a party really reads, how long it really keeps what
// it has. Gate, judge and screen all ask this. It changes nothing.
func (l Limits) BoundsSeen(s Sight) []Bound {
	var bounds []Bound
	for _, v := range l.Validators {
		if v.OnPage {
			bounds = append(bounds, l.seenG1(s, v))
		}
	}
	bounds = append(bounds, l.seenG2(s))
	for _, e := range l.Exceptions {
		if e.Until > 0 {
			bounds = append(bounds, l.seenException(s, e))
		}
	}
	for _, v := range l.Validators {
		if v.OnPage {
			bounds = append(bounds, l.seenG3(s, v))
		}
	}
	return bounds
}

// figure is a figure that was seen, in page time, and how.
type figure struct {
	time  time.Duration
	party string        // to look at
	how   string        // a sentence
	room  time.Duration // page time by which it may be wrong
	open  bool          // it was still growing
	once  bool          // it was seen once, which is no rhythm
	least bool          // the revoke cut it short, or may have
}

// seenG1 is the least lead for a validator.
func (l Limits) seenG1(s Sight, v Validator) Bound {
	b := Bound{Rule: "G1", Validator: v.Name, Field: "rollout.lead", Party: v.Name}
	if b.Planned, b.room = l.lead(s); b.room > 0 {
		b.Field = "what the rotator lets pass between accept and emit"
	}
	learns, found := l.seenLearning(s, v)
	b.term("learns", v.Learns, learns, found)
	b.term("cache "+v.Via, v.Shared, figure{}, false)
	l.publishing(&b, s, v)
	b.term(l.propagation(), l.Propagation, figure{}, false)
	if s.ahead(v.From) || l.unled(s, v) {
		b.Held = true
		return b
	}
	if late, found := l.seenLearned(s, v); found && late.time > b.Needed+b.room+late.room {
		b.Terms, b.Needed, b.room = nil, 0, 0
		b.Seen, b.most = nil, 0
		b.term("it learned "+s.New+" so late", 0, late, true)
	}
	return b.settled()
}

// ahead reports whether an emitter had published the new credential before the rotation began: then the
// lead was that long, and not the page's.
func (s Sight) ahead(emitter string) bool {
	at, ok := s.View.PublishedAt[emitter][s.New]
	return ok && at < s.View.PhaseStart[history.Baseline]
}

// seenG2 is the least window.
func (l Limits) seenG2(s Sight) Bound {
	b := Bound{Rule: "G2", Field: "overlap.window"}
	if b.Planned, b.room = l.window(s); b.room > 0 {
		b.Field = "what the rotator lets pass between the last switch and the revoke"
	}
	life, found := l.seenLife(s)
	b.term("longest life", l.LongestLife, life, found)
	b.term(l.propagation(), l.Propagation, figure{}, false)
	if late, found := l.seenLateness(s); found {
		b.term("late switch of "+late.party, 0, late, true)
	}
	if l.unrevoked(s) {
		b.Held = true
		return b
	}
	return b.settled()
}

// seenG3 is the least watch for a validator.
func (l Limits) seenG3(s Sight, v Validator) Bound {
	b := Bound{Rule: "G3", Validator: v.Name, Field: "rollout.watch", Planned: l.Watch, Party: v.Name}
	keeps, found := l.seenKeeping(s, v)
	b.term("forgets", v.Forgets, keeps, found)
	b.term("cache "+v.Via, v.Shared, figure{}, false)
	l.publishing(&b, s, v)
	b.term(l.propagation(), l.Propagation, figure{}, false)
	return b.settled()
}

// publishing adds the term of the emitter that publishes for a validator.
func (l Limits) publishing(b *Bound, s Sight, v Validator) {
	e, ok := l.Emitter(v.From)
	late, found := figure{}, false
	if ok {
		late, found = l.seenRefresh(s, e, true)
	}
	b.term("refresh of "+v.From, e.Refresh, late, found)
}

// seenLearning is how long a validator takes to learn by its timer, where that is longer than the page
// says. It does not apply to validators that fetch unknown credentials, or are made to fetch.
func (l Limits) seenLearning(s Sight, v Validator) (figure, bool) {
	if v.Authority || v.OnMiss || v.Reloaded || l.taughtByUse(s, v) {
		return figure{}, false
	}
	// After it has learned, a silence may only mean that nobody reports its fetches.
	_, learned := s.View.Learned[v.fetcher()][s.New]
	return l.longer(s, v, v.Learns, v.Rereads, "learns", !learned)
}

// seenKeeping is how long a validator keeps what was removed, where that is longer
// than the page says.
func (l Limits) seenKeeping(s Sight, v Validator) (figure, bool) {
	if v.Authority || v.Reloaded {
		return figure{}, false
	}
	return l.longer(s, v, v.Forgets, v.Keeps, "forgets", false)
}

// longer is the time between two fetches of a validator where it exceeds the page's: by the scenario's
// settings, or as it was seen although the validator was asked in between. With open it is also the
// time since the last fetch.
func (l Limits) longer(s Sight, v Validator, claimed, set time.Duration, does string, open bool) (most figure, found bool) {
	if claimed == runbook.Forever {
		return figure{}, false
	}
	tell := func(how string, time, room time.Duration) figure {
		who := "it"
		if v.Through != "" {
			who = v.Name
		}
		return figure{time: time, party: v.fetcher(), room: room,
			how: fmt.Sprintf("%s %s %s, and the page says that %s %s within %s", v.fetcher(), how, Text(time), who, does, Text(claimed))}
	}
	if set > claimed && set != runbook.Forever {
		most, found = tell("fetches every", set, 0), true
	}
	room := unsure + v.Granule
	gap, how, unended := s.View.Pause(v.fetcher()), "was seen to fetch every", false
	if does == "forgets" && s.View.OnMiss[v.Name] { // an unknown key may have ended the interval
		how, unended = "fetches for a key that it does not know, and had not fetched for", true
	}
	if since := s.View.Since(v.fetcher()); open && since.Length() > gap.Length() {
		gap, how, unended = since, "had not fetched for", true
	}
	due := gap.From + history.Offset(l.Wall(claimed)+room)
	if seen := l.Page(gap.Length().Duration()); gap.To > due && seen > most.time+l.Page(room) && s.asked(v, due, gap.To-history.Offset(unsure)) {
		most, found = tell(how, seen, l.Page(room)), true
		most.open = unended
	}
	return most, found
}

// asked reports whether anything was presented in [from, to) to a validator or a service before it. A
// validator that nobody asks need not fetch.
func (s Sight) asked(v Validator, from, to history.Offset) bool {
	for key := range s.View.Cells {
		if (key.Validator == v.Name || slices.Contains(v.Fronts, key.Validator)) && len(s.View.Buckets(key, from, to)) > 0 {
			return true
		}
	}
	return false
}

// taughtByUse reports whether a validator learned the new credential because it was presented, and
// refused it to nobody: how often it fetches by itself then says nothing of how fast it learns.
func (l Limits) taughtByUse(s Sight, v Validator) bool {
	if s.View.OnMiss[v.Name] {
		return true
	}
	learned, ok := s.View.Learned[v.fetcher()][s.New]
	if !ok {
		return false
	}
	const at = history.Offset(time.Second)
	first := learned + 1
	for key := range s.View.Cells {
		if key.Validator != v.Name && !slices.Contains(v.Fronts, key.Validator) || key.Credential != s.New {
			continue
		}
		for _, b := range s.View.Buckets(key, 0, learned+1) {
			if b.AuthFailures > 0 {
				return false
			}
			if b.Attempts > 0 {
				first = min(first, b.At)
			}
		}
	}
	return first <= learned && first >= learned-at
}

// seenLearned is how long after the accept a validator learned. One that learns on first use could not
// have been sooner.
func (l Limits) seenLearned(s Sight, v Validator) (figure, bool) {
	accepted, was := s.View.Steps[string(keyring.Accept)][s.New]
	learned, did := s.View.Learned[v.fetcher()][s.New]
	if !was || !did || v.Authority || v.OnMiss || l.taughtByUse(s, v) || s.View.Disturbed(accepted, learned) {
		return figure{}, false
	}
	late := l.Page((learned - accepted).Duration())
	return figure{
		time: late, party: v.fetcher(), room: l.Page(unsure + v.Granule),
		how: fmt.Sprintf("%s learned %s only %s after it was accepted", v.fetcher(), s.New, Text(late)),
	}, true
}

// seenRefresh is how often an emitter really takes what is published, where that is longer than the
// page says: by the intervals of its reads, or by when it published or switched. Publishing late does
// not count as switching late. An emitter that is made to reload has no such interval.
func (l Limits) seenRefresh(s Sight, e Emitter, publishing bool) (most figure, found bool) {
	claim := fmt.Sprintf("the page says %s", Text(e.Refresh))
	consider := func(wall history.Offset, allowed time.Duration, once bool, how string) {
		seen := l.Page(wall.Duration()) - allowed
		if wall > history.Offset(l.Wall(e.Refresh+allowed)+unsure) && seen > most.time {
			most, found = figure{time: seen, party: e.Name, room: l.Page(unsure), once: once, how: fmt.Sprintf(how, Text(l.Page(wall.Duration()))) + ", and " + claim}, true
		}
	}
	after := func(began history.Offset, there bool, ended history.Offset, did bool, how string) {
		if there && did && !s.View.Disturbed(began, ended) {
			consider(ended-began, l.Propagation, true, how)
		}
	}
	if e.Refresh > 0 && !e.Reloaded {
		for _, r := range s.View.Readers {
			// A read that a refusal or a cut connection caused is no habit.
			if gap := r.Habit(); r.Name == e.Name && r.What != runbook.JWKS && !s.View.FirstRefusedBy(e.Name, gap.To) && !s.View.FirstAfterCut(e.Name, gap.To) && !s.unused(l.JudgedAt, e.Name, gap) {
				consider(gap.Length(), 0, false, e.Name+" was seen to read the store every %s")
			}
		}
	}
	accepted, was := s.View.Steps[string(keyring.Accept)][s.New]
	published, publishes := s.View.PublishedAt[e.Name][s.New]
	after(accepted, was, published, publishes, e.Name+" published "+s.New+" %s after it was accepted")
	if publishing && publishes {
		return most, found
	}
	emitted, was := s.View.Steps[string(keyring.Emit)][s.New]
	switched, did := s.View.Switched[e.Name][s.New]
	if used, presents := l.lastUse(s, e.Name, emitted, switched); did && presents {
		switched, did = used, used > emitted // nothing could show it with the new one before it presented that
	}
	before := most.time
	after(emitted, was, switched, did && !s.View.FirstRefusedBy(e.Name, switched) && !s.View.FirstAfterCut(e.Name, switched), e.Name+" switched %s after it was told to")
	if revoked, done := s.View.Steps[string(keyring.Revoke)][s.Old]; most.time > before && done && switched >= revoked && switched <= revoked+history.Offset(l.Wall(e.Refresh+l.Propagation)+2*unsure) {
		most.least = true // nothing else may have been left to it
		most.how += fmt.Sprintf(", and not before %s was revoked", s.Old)
	}
	return most, found
}

// unused reports whether a presenter of its own secret presented nothing while it did not read it, as a
// pool that reads it for each connection: it reads as often as it needs to.
func (s Sight) unused(source history.Source, presenter string, gap history.Gap) bool {
	ever, meanwhile := s.View.Presented(source, presenter, gap.From, gap.To)
	return ever && !meanwhile
}

// lastUse is when an external emitter that presents the secret itself last presented the old one before
// it was seen with the new one; presents is false where that says nothing.
func (l Limits) lastUse(s Sight, emitter string, emitted, switched history.Offset) (last history.Offset, presents bool) {
	if !l.Attached() {
		return 0, false
	}
	for key, buckets := range s.View.Cells {
		if key.Source != l.JudgedAt || key.Presenter != emitter {
			continue
		}
		presents = true
		for _, b := range buckets {
			if key.Credential == s.Old && b.Attempts > 0 && b.At >= emitted && b.At < switched {
				last = max(last, b.At+b.Width)
			}
		}
	}
	return min(last, switched), presents
}

// seenLateness is by how much an emitter on the page may switch after the last moment that the page
// allows, from which the window counts.
func (l Limits) seenLateness(s Sight) (most figure, found bool) {
	planned := l.Switching()
	for _, e := range l.Emitters {
		late, slow := l.seenRefresh(s, e, false)
		if !e.OnPage || !slow {
			continue
		}
		if late.time = add(late.time, l.Propagation) - planned; late.time > most.time {
			most, found = late, true
		}
	}
	return most, found
}

// seenLife is the longest life of anything made with a credential, where it exceeds the page's: of a
// client's tokens or an emitter's connections. Exceptions have bounds of their own.
func (l Limits) seenLife(s Sight) (most figure, found bool) {
	longer := func(f figure, is bool) {
		if is && (!found || f.time > most.time+f.room) {
			most, found = f, true
		}
	}
	for _, c := range l.Clients {
		if !l.Excepted(c.Name) {
			longer(l.longestTokens(s, c.Name, l.LongestLife))
		}
	}
	for _, e := range l.Emitters {
		longer(l.lives(e.Name, "its connections", e.Life, l.LongestLife, 0))
		if e.Life == 0 { // external: nobody says
			longer(l.lives(e.Name, "its connections", l.Page(s.View.Lives[e.Name].Duration()), l.LongestLife, l.Page(tokenGranule)))
			longer(l.seenCut(s, e))
		}
	}
	return most, found
}

// seenCut is the least time for which an emitter had kept the connections that the revoke ended: since
// the last one that it made with the old credential.
func (l Limits) seenCut(s Sight, e Emitter) (figure, bool) {
	cut, was := s.View.Cut[e.Name][s.Old]
	revoked, done := s.View.Steps[string(keyring.Revoke)][s.Old]
	made, ok := s.View.LastTaken(l.JudgedAt, e.Name, s.Old, cut)
	if !was || !done || !ok || cut < revoked-history.Offset(time.Second) {
		return figure{}, false
	}
	life, room := l.Page((cut - made).Duration()), l.Page(unsure)
	return figure{
		time: life, party: e.Name, room: room, open: true,
		how: fmt.Sprintf("%s still had connections of %s when the revoke ended them, %s after the last that it made, and the page says that it keeps them for %s", e.Name, s.Old, Text(life), Text(l.LongestLife)),
	}, life > l.LongestLife+room
}

// longestTokens is the longest life of a client's tokens, planned or seen, where it exceeds the page's.
func (l Limits) longestTokens(s Sight, client string, page time.Duration) (figure, bool) {
	c, _ := l.Client(client)
	room := l.Page(tokenGranule)
	if seen := l.Page(s.View.Lives[client].Duration()); seen > c.Life+room {
		return l.lives(client, "its tokens", seen, page, room)
	}
	return l.lives(client, "its tokens", c.Life, page, 0)
}

// lives is the life of what a party keeps, where it exceeds the page's by more than its precision.
func (l Limits) lives(party, what string, life, page, room time.Duration) (figure, bool) {
	how := fmt.Sprintf("%s keeps %s for %s, and the page says %s", party, what, Text(life), Text(page))
	return figure{time: life, party: party, room: room, how: how}, life > page+room
}

// term adds a figure to a bound: the page's, or the one seen in its place.
func (b *Bound) term(what string, claimed time.Duration, seen figure, found bool) {
	t := Term{What: what, Time: claimed}
	if found {
		t.Time, t.Seen = seen.time, true
		b.Seen = append(b.Seen, seen.how)
		b.room += seen.room
		b.Open, b.Once, b.Least = b.Open || seen.open, b.Once || seen.once, b.Least || seen.least
		if more := seen.time - claimed; more > b.most {
			b.most, b.Party = more, seen.party
		}
	}
	if t.Time != 0 {
		b.Terms = append(b.Terms, t)
		b.Needed = add(b.Needed, t.Time)
	}
}

// settled decides whether a bound holds. The precision of what was seen counts in the page's favour
// here, and is added to the value that is advised, so that the advice holds when it is rehearsed.
func (b Bound) settled() Bound {
	if b.Needed == runbook.Forever {
		b.Held = false
		return b
	}
	switch b.Held = b.Planned >= b.Needed-b.room; {
	case b.Held:
		b.Needed = min(b.Needed, b.Planned)
	case b.room > 0:
		b.Needed = (b.Needed + b.room + time.Second - 1).Truncate(time.Second)
	}
	return b
}

// Worst keeps, of broken bounds of one rule that share a party which is not itself the late one, the
// one that asks most: an emitter that publishes late does so for every validator.
func Worst(broken []Bound) []Bound {
	var worst []Bound
	for _, b := range broken {
		i := slices.IndexFunc(worst, func(w Bound) bool {
			return w.Rule == b.Rule && w.Party == b.Party && b.Party != b.Validator && b.Party != ""
		})
		switch {
		case i < 0:
			worst = append(worst, b)
		case b.Needed > worst[i].Needed:
			worst[i] = b
		}
	}
	return worst
}

// Stretch is the stretch of time that a bound is about: lead, window or watch.
func (b Bound) Stretch() string {
	return map[string]string{"G1": "lead", "G2": "window", "G3": "watch"}[b.Rule]
}

// Short tells of a bound that does not hold, in the words of a gate.
func (b Bound) Short() string {
	text := fmt.Sprintf("the %s is %s and must be at least %s", b.Stretch(), Text(b.Planned), Text(b.Needed))
	if b.Needed == runbook.Forever {
		text = fmt.Sprintf("the %s is %s, and no time is enough", b.Stretch(), Text(b.Planned))
	}
	if b.Validator != "" {
		text += " for " + b.Validator
	}
	if len(b.Seen) > 0 {
		return text + ": " + strings.Join(b.Seen, "; ")
	}
	return text + " (" + b.sum() + ")"
}
