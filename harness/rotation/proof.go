package rotation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// A validator may be many replicas behind one address. What it takes or refuses is
// what all of its answers say; so it is asked again and again, on connections of
// their own, and every validator at the same time as the others: who is slow or
// frozen makes nobody else be asked late.
//
//	taken    ask ─► ask ─► ask … until so many say the same
//	refused  ask ──────────────────────────► until the watch is over
//	           │ takes: often   │ refuses: often, and seldom after so many in a row
const (
	// probeEvery is how often the old credential is presented to a validator that
	// still takes it, or has just begun to refuse it: the precision of "refused after".
	probeEvery = 100 * time.Millisecond
	// slowestProbe bounds how far a long watch spreads the presentations.
	slowestProbe = 10 * time.Second
	// authorityEvery is that of a party that decides itself, which may lock an
	// account that is refused often and fast.
	authorityEvery = 200 * time.Millisecond
	// grace is how long a proof goes on after the watch that is under way then.
	grace = 3 * time.Second
	// onceMore is enough time for one more presentation to a validator that takes the old credential.
	onceMore = 5 * probeEvery
	// seriesWithin bounds a series that does not get enough answers.
	seriesWithin = 2 * time.Second
	// doubt is by how much more often a validator is asked that refuses some of what it is shown.
	doubt = 3
	// lastLook is how many times as often as it takes to be believed an authority is asked when the watch ends: of
	// three edges the one that still takes the old credential is missed by so many once in sixty times.
	lastLook = 2
	// abreast is how many presentations to one validator may be unanswered at a time.
	abreast = 8
	// freePlace is how often the proof looks for a free place among those.
	freePlace = 20 * time.Millisecond
	// cutShort is how long a rotation that turns back waits for presentations under way.
	cutShort = 500 * time.Millisecond
	// patience is how long a person may hold the rotation before the watch: what the run makes with the
	// old credential must live that much longer, to be presented afterwards.
	patience = time.Hour
)

// revocationProof is the proof that the old credential is refused, from the revoke on.
type revocationProof struct {
	of    []plan.Validator
	began bool               // connections were made anew
	stop  context.CancelFunc // stops new presentations; nil: none began
	cut   context.CancelFunc // gives up those under way as well
	shown func()             // waits until none is under way

	ends atomic.Pointer[time.Time] // when the watch ends; nil: it has not begun
}

// keepFor is how long a token or session made with the old credential must live, to be presented until
// the end of the watch.
func (r *rotation) keepFor() time.Duration {
	life := r.plan.Times.Watch + time.Minute
	if !r.limits.Attached() { // a team's own endpoint gives what it gives
		life += patience
	}
	return life
}

// showOldOnHold begins the proof while a person is asked about the watch: a validator that refuses the
// old credential during that time is not late.
func (r *rotation) showOldOnHold(ctx context.Context) error {
	if err := r.renew(ctx); err != nil {
		return err
	}
	r.beginProof(ctx)
	return nil
}

// beginProof shows the old credential to every validator from now on until endProof,
// unless it does so already.
func (r *rotation) beginProof(ctx context.Context) {
	if r.proving.stop != nil {
		return
	}
	showing, cut := context.WithCancel(ctx)
	going, stop := context.WithCancel(showing)
	r.proving.cut, r.proving.stop = cut, stop
	r.proving.shown = r.world.Clock.Go(func() {
		// The only error is the end of what it is shown under.
		_ = r.sideBySide(r.proving.of, func(v plan.Validator) error { return r.showOld(showing, going, v) })
	})
}

// endProof stops the proof and waits for presentations under way, only for a moment where the rotation
// turns back: a party that gives no answer must not hold that up.
func (r *rotation) endProof(back bool) {
	if r.proving.stop == nil {
		return
	}
	r.proving.stop()
	if back {
		waiting, over := context.WithCancel(context.Background())
		late := r.world.Clock.Go(func() {
			if r.world.Clock.Sleep(waiting, cutShort) == nil {
				r.proving.cut()
			}
		})
		defer late()
		defer over()
	}
	r.proving.shown()
	r.proving.cut()
	r.proving.stop = nil
}

// sideBySide calls do for all validators at the same time.
func (r *rotation) sideBySide(of []plan.Validator, do func(plan.Validator) error) error {
	errs, waits := make([]error, len(of)), make([]func(), len(of))
	for i, v := range of {
		waits[i] = r.world.Clock.Go(func() { errs[i] = do(v) })
	}
	for _, wait := range waits {
		wait()
	}
	return errors.Join(errs...)
}

// show shows some validators a credential that each should take, as often as it takes to be sure.
func (r *rotation) show(ctx context.Context, credential string, purpose history.Purpose, to []plan.Validator) error {
	return r.sideBySide(to, func(v plan.Validator) error { return r.series(ctx, v, credential, purpose) })
}

// series shows a credential to one validator until enough answers say the same.
func (r *rotation) series(ctx context.Context, v plan.Validator, credential string, purpose history.Purpose) error {
	return r.showTimes(ctx, v, credential, purpose, func(int64) bool { return r.enoughAnswers(v, credential, purpose) })
}

// showTimes shows a credential to one validator until enough, called with the number of presentations,
// says so, or it takes too long. The first presentation goes alone: it may teach the validator the
// credential.
func (r *rotation) showTimes(ctx context.Context, v plan.Validator, credential string, purpose history.Purpose, enough func(shown int64) bool) error {
	began := r.world.Clock.Now()
	first, err := r.present(ctx, v.Name, credential, purpose)
	if err != nil || first.Outcome == history.HarnessError {
		return err
	}
	var shown atomic.Int64
	shown.Store(1)
	workers := make([]plan.Validator, abreast/2)
	if v.OnMiss || v.Authority {
		workers = workers[:1] // a request during another's fetch may be refused for that alone
	}
	return r.sideBySide(workers, func(plan.Validator) error {
		for ctx.Err() == nil && !enough(shown.Load()) && r.world.Clock.Now().Sub(began) < seriesWithin {
			shown.Add(1)
			if _, err := r.present(ctx, v.Name, credential, purpose); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
}

// enoughAnswers reports whether a series is over.
func (r *rotation) enoughAnswers(v plan.Validator, credential string, purpose history.Purpose) bool {
	var a history.Answers
	r.glance(func(view *history.View) { a = view.Said(v.Name, credential, purpose) })
	need := v.InARow()
	switch {
	case a.Taken == 0:
		need = min(need, inVain)
	case a.Refused > 0:
		need *= doubt
	}
	return a.Asked()+a.Unanswered >= need
}

// inVain is how often a validator is asked that never takes the credential: each time may cost it a
// fetch.
const inVain = 5

// refusing continues the proof until the watch is over. It goes on a little longer for a validator
// whose bound ends with the watch and whose granule does not scale with the speed, and for one that has
// begun to refuse and was not asked often enough.
func (r *rotation) refusing(ctx context.Context) error {
	end := r.world.Clock.Now().Add(r.plan.Times.Watch)
	r.proving.ends.Store(&end)
	longest := grace
	for _, v := range r.proving.of {
		longest = max(longest, r.roundsUp(v))
	}
	r.beginProof(ctx)
	err := r.wait(ctx, r.plan.Times.Watch, nil)
	if err == nil {
		err = r.wait(ctx, longest, func() bool { return r.proven(r.world.Clock.Now().Sub(end)) })
	}
	r.endProof(err != nil)
	if err = errors.Join(err, ctx.Err()); err != nil {
		return err
	}
	return r.doubts(ctx)
}

// proven reports whether the proof of every validator may end, a time after the watch.
func (r *rotation) proven(after time.Duration) bool {
	return !slices.ContainsFunc(r.proving.of, func(v plan.Validator) bool { return !r.provenBy(v, after) })
}

// doubts asks validators that took the old credential to the end two more things: whether they take a
// made-up credential, and one that they cannot have cached. An authority that is shown names is asked
// once whether it lets in the name of the new one with a made-up value.
func (r *rotation) doubts(ctx context.Context) error {
	doubter, ok := r.world.Probes.(world.Doubter)
	if !ok {
		return nil
	}
	named, _ := r.world.Probes.(world.ByName)
	for _, v := range r.proving.of {
		if named != nil && v.Authority && named.ByName(v.Name) {
			if _, err := r.present(ctx, v.Name, New, history.MadeUp); err != nil {
				return err
			}
		}
		if a := r.saidOld(v); a.Taken == 0 || a.Refused > 0 || a.Last.Session {
			continue
		}
		for _, purpose := range doubter.Doubts() {
			if _, err := r.present(ctx, v.Name, Old, purpose); err != nil {
				return err
			}
		}
	}
	return nil
}

// provenBy reports whether the proof of one validator may end: it is complete, or more time would add
// nothing.
func (r *rotation) provenBy(v plan.Validator, after time.Duration) bool {
	a := r.saidOld(v)
	switch {
	case a.InARow >= v.InARow():
		return true
	case a.InARow > 0:
		return after >= grace
	case a.Taken > 0 && r.limits.G3(v) <= r.limits.Watch:
		return after >= r.roundsUp(v)+onceMore // where its bound ends with the watch, it is asked after both
	}
	return after >= r.roundsUp(v)
}

// roundsUp is by how much the granule of a validator's timer delays its bound, where the bound lies
// within the watch; wall time.
func (r *rotation) roundsUp(v plan.Validator) time.Duration {
	if r.limits.G3(v) <= r.limits.Watch {
		return v.Granule
	}
	return 0
}

// saidOld is how a validator answered the old credential since the revoke.
func (r *rotation) saidOld(v plan.Validator) (a history.Answers) {
	r.glance(func(view *history.View) { a = view.Said(v.Name, Old, history.OldAfter) })
	return a
}

// showOld shows the old credential to one validator until going ends, and waits for the answers to what
// it has shown by then.
func (r *rotation) showOld(showing, going context.Context, v plan.Validator) error {
	places := int64(abreast)
	if v.Authority {
		places = 1
	}
	var taken atomic.Int64
	var under []func()
	random := rand.New(rand.NewPCG(1, 1)) // the same in each run
	for going.Err() == nil {
		if taken.Load() >= places {
			_ = r.world.Clock.Sleep(going, freePlace) // looked at above
			continue
		}
		if taken.Add(1) == 1 {
			under = under[:0] // all have ended
		}
		under = append(under, r.world.Clock.Go(func() {
			defer taken.Add(-1)
			phase := history.Watch
			r.glance(func(view *history.View) { phase = view.Phase })
			// Its only error is the end of what it is shown under.
			_, _ = r.presentIn(showing, phase, v.Name, Old, history.OldAfter)
		}))
		_ = r.world.Clock.Sleep(going, uneven(r.pace(v), random)) // looked at above
	}
	for _, wait := range under {
		wait()
	}
	return showing.Err()
}

// uneven is a random pause between half and one and a half of a pace. Presentations in step with the
// load would meet the same replica each time where a balancer takes turns.
func uneven(pace time.Duration, random *rand.Rand) time.Duration {
	return pace/2 + time.Duration(random.Int64N(int64(pace)))
}

// pace is the mean time until the old credential is shown to a validator again.
func (r *rotation) pace(v plan.Validator) time.Duration {
	a, watch, enough := r.saidOld(v), r.plan.Times.Watch, v.InARow()
	if v.Authority && a.Again > 0 { // it is several
		enough *= lastLook
	}
	switch {
	case a.Asked() == 0 && a.Unshown != "":
		return time.Second
	case a.InARow >= enough && v.Authority:
		return max(authorityEvery, min(max(slowestProbe, watch/4), r.untilLastLook(v))) // an operator may take long
	case a.InARow >= enough && r.limits.Simulated: // virtual: a validator that refuses takes it again only for a reason
		return max(5*probeEvery, watch/10)
	case a.InARow >= enough:
		return min(max(5*probeEvery, watch/100), slowestProbe)
	case v.Authority && a.InARow > 0:
		return authorityEvery
	case a.InARow > 0:
		return probeEvery
	}
	return min(max(probeEvery, watch/600), slowestProbe)
}

// untilLastLook is how long after now, on the average, an authority that refuses the old credential is shown it
// again: often enough once more when the watch ends. One of its edges, which others hid until then, may still take it.
func (r *rotation) untilLastLook(v plan.Validator) time.Duration {
	ends := r.proving.ends.Load()
	if ends == nil {
		return slowestProbe
	}
	look := time.Duration(lastLook*v.InARow()) * authorityEvery
	return (ends.Sub(r.world.Clock.Now()) - look) * 2 / 3 // a pause is at most half as long again
}

// answerOf sums up a validator's answers to a credential that it should take, and says why it does not;
// "" where it does or was not asked.
func (l Look) answerOf(v plan.Validator, credential string, purpose history.Purpose) (answer plan.Answer, why string) {
	answer, a := l.Limits.Answered(l.View, v.Name, credential, purpose)
	_, holds := l.View.Holds[v.Name][credential]
	switch {
	case answer == plan.Silent && a.Unanswered == 0:
		why = fmt.Sprintf("%s could not be asked whether it takes %s: %s", v.Name, credential, a.Unshown)
	case answer == plan.Silent:
		why = fmt.Sprintf("%s %s, which is no refusal", v.Name, l.Limits.Neither(credential, a.Last.Status))
	case answer == plan.Refuses && a.Taken > 0:
		why = fmt.Sprintf("%s refuses %s in %d of %d answers: not all of its replicas take it", v.Name, credential, a.Refused, a.Asked())
	case answer == plan.Refuses && holds:
		why = fmt.Sprintf("%s has fetched %s and still refuses it", v.Name, credential)
	case answer == plan.Refuses:
		why = fmt.Sprintf("%s refuses %s", v.Name, credential)
	}
	return answer, why
}

// renew has every emitter make its connections anew: otherwise one that still has the old credential
// would go unnoticed for as long as its connections live.
func (r *rotation) renew(ctx context.Context) error {
	renewer, ok := r.world.Probes.(world.Renewer)
	if !ok || r.proving.began {
		return nil
	}
	r.proving.began = true
	for _, e := range r.limits.Emitters {
		told, err := renewer.Renew(ctx, e.Name)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil: // an emitter that is down is reported elsewhere
			r.record(history.Event{Kind: history.KindRenewed, Phase: r.phase, Service: e.Name, Detail: err.Error()})
		case told:
			r.record(history.Event{Kind: history.KindRenewed, Phase: r.phase, Service: e.Name})
		}
	}
	return nil
}
