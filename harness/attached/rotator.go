package attached

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/attached/program"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/rotation"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// rotator is the state of a team's own rotator.
type rotator struct {
	cancel  context.CancelFunc // ends its command
	stop    context.CancelFunc // ends the looking
	looking sync.WaitGroup
	ended   chan struct{} // closed when it is over

	mu       sync.Mutex // of what follows, and of ended
	progress world.Progress
	backed   bool // attach.rotator.back was done
}

// fresh is the name of the credential that a rotator makes, as all that is new has.
const fresh = rotation.New

// rotatorTakes are the steps that are seen, in the order of a rotation.
var rotatorTakes = []keyring.Step{keyring.Accept, keyring.Emit, keyring.Revoke}

// credentialState is what one look showed of the two credentials.
type credentialState struct {
	fresh                        string // the identifier of the new one; "": there is none
	freshTaken, oldGone, emitted bool
	odd                          error
	is                           string // in words
}

// Rotates reports whether the team's own rotator takes a step.
func (s *System) Rotates(step keyring.Step) bool { return s.attach.Rotates(string(step)) }

// Lets says whether the rotator may be stopped, and its changes taken back.
func (s *System) Lets() (stop, back bool) {
	r := s.attach.Rotator
	return r != nil && r.Stoppable(), r != nil && r.Back != nil
}

// Start starts the rotator, and from then on looks at what it has done.
func (s *System) Start(ctx context.Context) error {
	before, err := s.stand(ctx, credentialState{})
	if err != nil {
		return fmt.Errorf("look before the rotator is started: %w", err)
	}
	s.hold(ctx, s.first)
	act, timeout := s.attach.Rotator.Start(), s.plan.RotatorTimeout()
	r := &s.rotator
	running, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.mu.Lock()
	r.cancel, r.stop, r.ended = cancel, stop, make(chan struct{})
	r.mu.Unlock()
	s.watched.await()
	if len(act.Command) > 0 {
		r.looking.Go(func() {
			_, err := s.doWithin(running, act, "rotator", fresh, timeout)
			r.finish(err)
		})
	} else if _, err := s.do(ctx, act, "rotator", fresh); err != nil {
		cancel()
		stop()
		return err
	}
	began := time.Now()
	r.looking.Go(func() { s.follow(watching, running, began, before) })
	return nil
}

// finish says that the rotator has ended.
func (r *rotator) finish(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.progress.Over {
		return
	}
	r.progress.Over, r.progress.OverAt, r.progress.Err = true, time.Now(), err
	close(r.ended)
}

// holdAgain is how often a fresh token of the old credential is kept while that is in use: a rotator
// takes its own time, and an issuer may cap the life of tokens.
const holdAgain = 10 * plan.SeenEvery

// follow looks until its context ends. A rotator that is called, and is no command, ends when all its
// steps were seen or its time is over.
func (s *System) follow(ctx, running context.Context, began time.Time, last credentialState) {
	r := &s.rotator
	called := len(s.attach.Rotator.Command) == 0
	held := began
	tick := time.NewTicker(plan.SeenEvery)
	defer tick.Stop()
	before, failed := began, 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		looked := time.Now()
		is, err := s.stand(ctx, last)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			if failed++; failed == unseenAfter {
				s.unseen(err)
			}
			r.mu.Lock()
			r.progress.Blind = err
			r.mu.Unlock()
			continue
		}
		if failed >= unseenAfter {
			s.unseen(nil)
		}
		failed = 0
		s.tell(is, before, looked, time.Now())
		last, before = is, looked
		if s.byTokens() && !is.emitted && looked.Sub(held) >= holdAgain {
			s.hold(ctx, s.first)
			held = looked
		}
		if !called {
			continue
		}
		if s.sawAll() {
			r.finish(nil)
		} else if running.Err() != nil {
			r.finish(fmt.Errorf("%s has not had it done within %s", describe(s.attach.Rotator.Start()), s.plan.RotatorTimeout()))
		}
	}
}

// unseen records that looks fail, or succeed again. Key set and tokens are watched and recorded all the
// time.
func (s *System) unseen(err error) {
	if s.byTokens() {
		return
	}
	s.seen.mu.Lock()
	record := s.seen.record
	s.seen.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(s.attach.Present)) {
		e := history.Event{Kind: history.KindUnseen, Service: name}
		if err != nil {
			e.Detail = err.Error()
		}
		record(e)
	}
}

// sawAll reports whether every step of the rotator was seen.
func (s *System) sawAll() bool {
	taken := s.Progress().Taken
	return !slices.ContainsFunc(rotatorTakes, func(step keyring.Step) bool {
		_, seen := taken[step]
		return s.Rotates(step) && !seen
	})
}

// tell keeps what a look showed that began at looked and has ended now, beyond what the look before
// showed.
func (s *System) tell(is credentialState, before, looked, now time.Time) {
	r := &s.rotator
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress.Identifier, r.progress.Is, r.progress.Odd, r.progress.Blind, r.progress.Looked = is.fresh, is.is, is.odd, nil, looked
	if r.progress.Taken == nil {
		r.progress.Taken = map[keyring.Step]world.Taken{}
	}
	for step, so := range map[keyring.Step]bool{keyring.Accept: is.freshTaken, keyring.Emit: is.emitted, keyring.Revoke: is.oldGone} {
		if _, seen := r.progress.Taken[step]; so && !seen {
			r.progress.Taken[step] = world.Taken{NotYet: before, Seen: now}
			s.took(step)
		}
	}
}

// took notes a step, as after one of the run's own.
func (s *System) took(step keyring.Step) {
	if step != keyring.Revoke {
		s.there()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch step {
	case keyring.Accept:
		s.accepted[fresh], s.lastAccepted = true, fresh
	case keyring.Emit:
		s.emitting, s.emittedAt = fresh, time.Now()
	case keyring.Revoke:
		s.accepted[s.first] = false
	}
}

// Progress is what the rotator was seen to do so far.
func (s *System) Progress() world.Progress {
	s.rotator.mu.Lock()
	defer s.rotator.mu.Unlock()
	p := s.rotator.progress
	p.Taken = maps.Clone(p.Taken)
	return p
}

// Halt stops the rotator as the team says, and waits until it has ended.
func (s *System) Halt(ctx context.Context) error {
	says, r := s.attach.Rotator, &s.rotator
	within := program.EndsWithin + DefaultTimeout
	switch {
	case says.MayEnd:
		r.cancel()
	case says.Stop == nil:
		return errors.New("nobody may stop the rotator: attach.rotator says neither stop nor may_end")
	default:
		if _, err := s.do(ctx, *says.Stop, "stop", ""); err != nil {
			return fmt.Errorf("stop the rotator: %w", err)
		}
		within = timeoutOf(*says.Stop)
		if len(says.Command) == 0 {
			r.finish(errors.New("it was stopped"))
		}
	}
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-r.ended:
		return nil
	case <-timer.C:
		return fmt.Errorf("the rotator goes on %s after it was told to stop", within)
	}
}

// Await waits until the rotator has ended: at the latest when its time is over.
func (s *System) Await(ctx context.Context) {
	if s.rotator.ended == nil {
		return
	}
	select {
	case <-s.rotator.ended:
	case <-ctx.Done():
	}
}

// closeRotator stops looking, and ends what is left of the rotator.
func (s *System) closeRotator() {
	if s.rotator.stop == nil {
		return
	}
	s.rotator.stop()
	s.rotator.cancel()
	s.rotator.looking.Wait()
}

// back takes the rotation back by the team's own way, once, and waits until a step of it is seen: the
// time for its delivery begins then.
func (s *System) back(ctx context.Context, step keyring.Step) error {
	r, says := &s.rotator, s.attach.Rotator
	r.mu.Lock()
	again := r.backed
	r.backed = true
	r.mu.Unlock()
	if !again {
		if _, err := s.do(ctx, *says.Back, "back", s.first); err != nil {
			return err
		}
	}
	end := time.Now().Add(s.plan.Times.Propagation + time.Second)
	for {
		is, err := s.stand(ctx, credentialState{fresh: s.Progress().Identifier})
		back := map[keyring.Step]bool{keyring.Restore: !is.oldGone, keyring.Emit: !is.emitted, keyring.Withdraw: !is.freshTaken}
		switch late := time.Now().After(end); {
		case err == nil && back[step]:
			s.mu.Lock()
			defer s.mu.Unlock()
			switch step {
			case keyring.Restore:
				s.accepted[s.first], s.lastAccepted = true, s.first
			case keyring.Emit:
				s.emitting, s.emittedAt, s.lastAccepted = s.first, time.Now(), s.first
			case keyring.Withdraw:
				s.accepted[fresh] = false
			}
			return nil
		case err != nil && late:
			return err
		case late:
			return fmt.Errorf("%s says that it was done, and %s", describe(*says.Back), is.is)
		}
		if err := (world.WallClock{}).Sleep(ctx, plan.SeenEvery); err != nil {
			return err
		}
	}
}

// stand looks at both credentials, knowing which was new at the last look.
func (s *System) stand(ctx context.Context, last credentialState) (credentialState, error) {
	ctx, cancel := context.WithTimeout(ctx, DefaultTimeout)
	defer cancel()
	is := credentialState{fresh: last.fresh}
	if act := s.attach.Rotator.New; act != nil && is.fresh == "" {
		// A missing credential may be an error of the command.
		if told, err := s.told(ctx, *act, "new", ""); err == nil && told != s.Identifier(s.first) {
			is.fresh = told
		}
	}
	var err error
	if s.byTokens() {
		err = s.standTokens(ctx, &is)
	} else {
		err = s.standValues(ctx, &is)
	}
	return is, err
}

// name gives the new credential its identifier, by which it is fetched and shown. Where it replaces the
// old one under one name, refusals of that name are of the old one until then. It fails where that is a value.
func (s *System) name(ctx context.Context, identifier string) error {
	if identifier == "" {
		return nil
	}
	if err := s.isNoValue(identifier); err != nil {
		return err
	}
	s.mu.Lock()
	known := s.identifiers[fresh] == identifier
	s.identifiers[fresh] = identifier
	s.mu.Unlock()
	if !known && s.isItsValue(ctx, fresh, identifier) {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.identifiers, fresh)
		return errIsValue
	}
	if !s.plan.Limits.InPlace() {
		s.there()
	}
	return nil
}

// there makes the new credential known to servers' log readers, which go by names.
func (s *System) there() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.made, fresh) {
		s.made = append(s.made, fresh)
	}
}

// standTokens looks at the emitter's key set and at one of its tokens.
func (s *System) standTokens(ctx context.Context, is *credentialState) error {
	sets, err := s.published(ctx)
	if err != nil {
		return err
	}
	emitting, err := s.emitted(ctx)
	if err != nil {
		return err
	}
	old, emitter := s.Identifier(s.first), s.publisher()
	published := sets[emitter]
	if s.rotator.ended == nil { // before the start
		s.ahead = published
	}
	for _, kid := range published {
		if is.fresh == "" && kid != old && !slices.Contains(s.ahead, kid) {
			is.fresh = kid
		}
	}
	ahead := is.fresh == "" && emitting != old && slices.Contains(s.ahead, emitting)
	if is.fresh == "" && emitting != old {
		is.fresh = emitting
	}
	if err := s.name(ctx, is.fresh); err != nil {
		return err
	}
	is.freshTaken = is.fresh != "" && (slices.Contains(published, is.fresh) || ahead)
	is.oldGone, is.emitted = !slices.Contains(published, old), is.fresh != "" && emitting == is.fresh
	if emitting != old && emitting != is.fresh {
		is.odd = fmt.Errorf("%s signs with %s, and the new key that was seen first is %s: say attach.rotator.new, which prints the one that comes next", s.signer(), emitting, is.fresh)
	}
	names := make([]string, len(published))
	for i, kid := range published {
		names[i] = s.called(kid)
	}
	is.is = fmt.Sprintf("%s publishes %s and signs with %s", emitter, strings.Join(names, ", "), s.called(emitting))
	return nil
}

// called is the name of a credential by its identifier, or that where it has none.
func (s *System) called(identifier string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, known := range s.identifiers {
		if known == identifier {
			return name
		}
	}
	return identifier
}

// standValues asks which credential is in use, and shows both to everybody who checks.
func (s *System) standValues(ctx context.Context, is *credentialState) error {
	used, err := s.told(ctx, *s.attach.Current, "current", "")
	if err != nil {
		return err
	}
	old := s.Identifier(s.first)
	if is.fresh == "" && used != old {
		is.fresh = used
	}
	if err := s.name(ctx, is.fresh); err != nil {
		return fmt.Errorf("attach.rotator.new, or attach.current: %w", err)
	}
	if is.emitted = is.fresh != "" && used == is.fresh; !is.emitted && used != old {
		_, _ = s.learn(ctx, fresh) // what cannot be had cannot be told either
		if err := s.isNoValue(used); err != nil {
			return fmt.Errorf("attach.current: %w", err)
		}
		is.odd = fmt.Errorf("%s is in use, and the new one that was seen first is %s", used, is.fresh)
	}
	is.freshTaken = is.fresh != ""
	said := []string{s.called(used) + " is in use"}
	for _, name := range slices.Sorted(maps.Keys(s.attach.Present)) {
		was, err := s.show(ctx, name, s.first, history.Canary)
		if err != nil {
			return err
		}
		if was.Outcome == history.Unavailable {
			return fmt.Errorf("%s gives no answer about %s (%s)", name, s.first, was.Status)
		}
		is.oldGone = is.oldGone || was.Outcome == history.AuthFailure
		said = append(said, fmt.Sprintf("%s %s %s", name, does(was), s.first))
		if is.fresh == "" {
			continue
		}
		now, err := s.show(ctx, name, fresh, history.Canary)
		if err != nil { // its value is not to be had yet
			now.Outcome, now.Status = history.AuthFailure, "its value is not to be had"
		}
		is.freshTaken = is.freshTaken && now.Outcome == history.OK
		said = append(said, fmt.Sprintf("%s %s %s", name, does(now), fresh))
	}
	is.is = strings.Join(said, ", ")
	return nil
}

// does says what became of a probe.
func does(probe history.Probe) string {
	switch probe.Outcome {
	case history.OK:
		return "takes"
	case history.AuthFailure:
		return "refuses (" + probe.Status + ")"
	}
	return "gives no answer (" + probe.Status + ") about"
}
