package plan

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

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
	chance := ""
	var more time.Duration
	if r := s.View.Fetched(v.fetcher()); r != nil && !unended {
		gap, more, chance = l.byChance(r, claimed, gap)
	}
	due := gap.From + history.Offset(l.Wall(claimed)+room)
	if seen := l.Page(gap.Length().Duration()); gap.To > due && seen > most.time+l.Page(room) && s.asked(v, due, gap.To-history.Offset(unsure)) {
		most, found = tell(how, seen, l.Page(room)), true
		most.open, most.more = unended, more
		most.how += chance
	}
	return most, found
}

// byChance is the longest pause of a party where it draws its pauses by chance around the time that the page says; by how
// much another may exceed that, in page time; and the half sentence about it. Of other parties it is the gap of habit.
func (l Limits) byChance(r *history.Rhythm, claimed time.Duration, habit history.Gap) (gap history.Gap, more time.Duration, told string) {
	longest, is := r.ByChance(history.Offset(l.Wall(claimed)))
	if !is {
		return habit, 0, ""
	}
	gap = r.Gaps[0]
	more = l.Page((longest - gap.Length()).Duration())
	least := l.Page(r.Gaps[r.Whole-1].Length().Duration())
	return gap, more, fmt.Sprintf("; its pauses vary by chance (%d were seen, the shortest of %s): that is their mean, and one of %s may come", r.Whole, Text(least), Text(l.Page(longest.Duration())))
}

// cells are those of a validator and of the services before it.
func (s Sight) cells(v Validator) iter.Seq[history.CellKey] {
	return func(yield func(history.CellKey) bool) {
		for _, name := range slices.Concat([]string{v.Name}, v.Fronts) {
			for _, key := range s.View.KeysAt(name) {
				if !yield(key) {
					return
				}
			}
		}
	}
}

// asked reports whether anything was presented in [from, to) to a validator or a service before it. A
// validator that nobody asks need not fetch.
func (s Sight) asked(v Validator, from, to history.Offset) bool {
	for key := range s.cells(v) {
		if len(s.View.Buckets(key, from, to)) > 0 {
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
	for key := range s.cells(v) {
		if key.Credential != s.New {
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
	consider := func(wall history.Offset, allowed time.Duration, once bool, how, chance string, more time.Duration) {
		seen := l.Page(wall.Duration()) - allowed
		if wall > history.Offset(l.Wall(e.Refresh+allowed)+unsure) && seen > most.time {
			most, found = figure{time: seen, party: e.Name, room: l.Page(unsure), once: once, more: more, how: fmt.Sprintf(how, Text(l.Page(wall.Duration()))) + ", and " + claim + chance}, true
		}
	}
	after := func(began history.Offset, there bool, ended history.Offset, did bool, how string) {
		if there && did && !s.View.Disturbed(began, ended) {
			consider(ended-began, l.Propagation, true, how, "", 0)
		}
	}
	if e.Refresh > 0 && !e.Reloaded {
		for _, r := range s.View.Readers {
			// A read that a refusal or a cut connection caused is no habit.
			gap, more, chance := l.byChance(&r.Rhythm, e.Refresh, r.Habit())
			if r.Name == e.Name && r.What != runbook.JWKS && !s.View.FirstRefusedBy(e.Name, gap.To) && !s.View.FirstAfterCut(e.Name, gap.To) && !s.unused(l.JudgedAt, e.Name, gap) {
				consider(gap.Length(), 0, false, e.Name+" was seen to read the store every %s", chance, more)
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
	after(emitted, was, switched, did && !s.View.FirstRefusedBy(e.Name, switched) && !s.View.FirstAfterCut(e.Name, switched), e.Name+" switched %s after the emit")
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
		if !slow {
			late, slow = l.seenUsing(s, e)
		}
		if !e.OnPage || !slow {
			continue
		}
		if late.time = add(late.time, l.Propagation) - planned; late.time > most.time {
			most, found = late, true
		}
	}
	return most, found
}

// seenUsing is for how long after it was told to an emitter of which nothing says when it switched went
// on to present the old credential, where that is longer than the page allows: one of several workers may
// have switched so late. Use up to the revoke is told by the share of the credential. A delivery may have been signed before, and have waited: nothing tells it from
// one that was signed then.
func (l Limits) seenUsing(s Sight, e Emitter) (figure, bool) {
	emitted, told := s.View.Steps[string(keyring.Emit)][s.New]
	_, said := s.View.Switched[e.Name][s.New]
	if !told || said || e.Several || l.Attached() || l.Excepted(e.Name) {
		return figure{}, false
	}
	until, revoked := s.View.Steps[string(keyring.Revoke)][s.Old]
	if !revoked {
		until = s.View.Now + 1
	}
	last := emitted
	for key := range s.View.Cells {
		if key.Source == l.JudgedAt && key.Presenter == e.Name && key.Credential == s.Old {
			for _, b := range s.View.Buckets(key, emitted, until) {
				if b.OK > 0 {
					last = max(last, b.At+b.Width)
				}
			}
		}
	}
	used := l.Page((last - emitted).Duration())
	how := fmt.Sprintf("%s presented %s until %s after the emit of %s, and the page says that it switches within %s", e.Name, s.Old, Text(used), s.New, Text(add(e.Refresh, l.Propagation)))
	family := runbook.Traits[l.Family]
	maybe := family.Expires && !family.Pools // what it shows it may have made before
	if maybe {
		how += "; nothing tells when it signed what came then: a delivery that had waited is allowed, one that was signed then is too late"
	}
	return figure{time: used - l.Propagation, party: e.Name, room: l.Page(unsure), once: true, maybe: maybe, how: how},
		last > emitted+history.Offset(l.Wall(add(e.Refresh, l.Propagation))+unsure) && last < until-history.Offset(lastUse) && !s.View.Disturbed(emitted, last)
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

// longestTokens is the longest life of a client's tokens, planned or seen, where it exceeds the page's. Those that
// live for longer than the client says are its issuer's: whoever else holds one need not renew it as the client does.
func (l Limits) longestTokens(s Sight, client string, page time.Duration) (figure, bool) {
	c, _ := l.Client(client)
	room := l.Page(tokenGranule)
	if seen := l.Page(s.View.Lives[client].Duration()); seen > c.Life+room {
		if c.From == "" {
			return l.lives(client, "its tokens", seen, page, room)
		}
		how := fmt.Sprintf("%s gives %s tokens that are good for %s, and the page says %s", c.From, client, Text(seen), Text(page))
		return figure{time: seen, party: c.From, room: room, how: how}, seen > page+room
	}
	return l.lives(client, "its tokens", c.Life, page, 0)
}

// lives is the life of what a party keeps, where it exceeds the page's by more than its precision.
func (l Limits) lives(party, what string, life, page, room time.Duration) (figure, bool) {
	how := fmt.Sprintf("%s keeps %s for %s, and the page says %s", party, what, Text(life), Text(page))
	return figure{time: life, party: party, room: room, how: how}, life > page+room
}
