package attached

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// Make makes a credential. The first is the one already in use, known by a token of the team's
// endpoint: nothing is done for it.
func (s *System) Make(ctx context.Context, name string) (identifier string, err error) {
	s.steps.Lock()
	defer s.steps.Unlock()
	if known := s.Identifier(name); known != "" {
		return known, nil
	}
	s.mu.Lock()
	first := len(s.identifiers) == 0
	s.mu.Unlock()
	if first {
		identifier, err := s.current(ctx)
		if err != nil {
			return "", fmt.Errorf("find out which credential is in use: %w", err)
		}
		s.mu.Lock()
		s.identifiers[name], s.emitting, s.first, s.accepted[name] = identifier, name, name, true
		s.made, s.lastAccepted = append(s.made, name), name
		s.mu.Unlock()
		if !s.byTokens() { // it may not be available while another is in use
			if _, err := s.learn(ctx, name); err != nil {
				return "", err
			}
			if err := s.isNoValue(identifier); err != nil {
				s.mu.Lock()
				delete(s.identifiers, name)
				s.mu.Unlock()
				return "", fmt.Errorf("find out which credential is in use: attach.current: %w", err)
			}
		}
		return identifier, nil
	}
	if s.attach.Rotator != nil {
		return "", errors.New("the rotator was not seen to make one")
	}
	out, err := s.act(ctx, scenario.MakeStep, name)
	if err != nil {
		return "", err
	}
	if identifier, err = s.printedBy(out); err != nil {
		s.log(scenario.MakeStep + ": what it printed is not written down: it may have a value in it")
		return "", err
	}
	if err := s.identify(name, identifier); err != nil {
		return "", err
	}
	itself := s.isItsValue(ctx, name, identifier)
	if len(s.attach.Steps[scenario.MakeStep].Command) > 0 {
		s.logLines(scenario.MakeStep, out)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if itself {
		delete(s.identifiers, name)
		return "", errIsValue
	}
	s.made = append(s.made, name)
	return identifier, nil
}

// identify remembers the identifier of a new credential, which no other has.
func (s *System) identify(credential, identifier string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for other, has := range s.identifiers {
		if has == identifier {
			return fmt.Errorf("the new identifier %s is that of %s: nothing new was made", identifier, other)
		}
	}
	s.identifiers[credential] = identifier
	return nil
}

// Do takes a team's step. Before another credential is emitted it keeps a token of the one in use, to
// prove its refusal later.
func (s *System) Do(ctx context.Context, step keyring.Step, credential string) error {
	s.steps.Lock()
	defer s.steps.Unlock()
	s.mu.Lock()
	alone, emitting := len(s.identifiers) == 1, s.emitting
	s.mu.Unlock()
	if alone {
		return nil // it was accepted and emitted before anybody attached
	}
	switch back := slices.Contains([]keyring.Step{keyring.Restore, keyring.Withdraw}, step) || step == keyring.Emit && credential == s.first; {
	case s.attach.Rotator == nil || !s.Rotates(step):
	case back:
		return s.back(ctx, step)
	default: // it was seen
		s.watched.named()
		return nil
	}
	act, name, ok := s.stepOf(step, credential)
	if !ok {
		return nil // destroy, which may be left out
	}
	if step == keyring.Emit && emitting != credential {
		s.hold(ctx, emitting)
	}
	switch {
	case act.Cannot != "" && (step == keyring.Accept || step == keyring.Destroy):
		// Nothing is done: whether the step happens anyway is observed.
	case act.Cannot != "":
		return fmt.Errorf("the system cannot: %s", act.Cannot)
	case s.attach.Undoes(name) != "":
		if err := s.takeBack(ctx, s.attach.Undoes(name)); err != nil {
			return err
		}
	case act.Expires > 0:
		if err := s.awaitExpiry(ctx, s.plan.Wall(act.Expires.Duration())); err != nil {
			return err
		}
	default:
		if _, err := s.act(ctx, name, credential); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch step {
	case keyring.Emit:
		s.emitting, s.emittedAt = credential, time.Now()
	case keyring.Accept, keyring.Restore:
		s.accepted[credential], s.lastAccepted = true, credential
	case keyring.Revoke, keyring.Withdraw:
		s.accepted[credential] = false
	}
	return nil
}

// stepOf is the act for a step with a credential, and its name: emitting the previous credential again
// may have an act of its own.
func (s *System) stepOf(step keyring.Step, credential string) (act scenario.Act, name string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if step == keyring.Emit && credential == s.first {
		if act, ok := s.attach.Steps[scenario.EmitBackStep]; ok {
			return act, scenario.EmitBackStep, true
		}
	}
	name = string(step)
	if back := s.attach.Undoes(scenario.EmitBackStep); step == keyring.Emit && credential == s.first && back != "" {
		return s.attach.Steps[back], scenario.EmitBackStep, true
	}
	if undone := s.attach.Undoes(name); undone != "" {
		return s.attach.Steps[undone], name, true
	}
	act, ok = s.attach.Steps[name]
	return act, name, ok
}

// takeBack takes back what a step did in the cluster.
func (s *System) takeBack(ctx context.Context, step string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeoutOf(s.attach.Steps[step]))
	defer cancel()
	return s.cluster.TakeBack(ctx, step)
}

// Does describes a step with a credential as somebody would do it by hand: with its identifier, and
// without any value of the environment.
func (s *System) Does(step, credential string) string {
	if r := s.attach.Rotator; r != nil && s.Rotates(keyring.Step(step)) {
		if r.Back == nil {
			return "attach.rotator does not say how"
		}
		return scenario.ReplaceMentions(describe(*r.Back), func(m scenario.Mention) string { return "$" + cmp.Or(m.Part, m.Name) }) + ", which takes back all of it"
	}
	act, name, ok := s.stepOf(keyring.Step(step), credential)
	if !ok {
		return "nothing: the scenario says nothing for it"
	}
	if undone := s.attach.Undoes(name); undone != "" {
		return undoes(undone, act)
	}
	words := map[string]string{"credential": credential, "identifier": s.Identifier(credential)}
	return scenario.ReplaceMentions(describe(act), func(m scenario.Mention) string {
		switch {
		case m.Part == "url":
			return s.endpoints[m.Name].URL
		case m.Part == "" && words[m.Name] != "":
			return words[m.Name]
		}
		return "$" + cmp.Or(m.Part, m.Name)
	})
}

// awaitExpiry waits until the old credential has expired by itself, a time after another was emitted.
func (s *System) awaitExpiry(ctx context.Context, after time.Duration) error {
	s.mu.Lock()
	left := time.Until(s.emittedAt.Add(after))
	s.mu.Unlock()
	return world.WallClock{}.Sleep(ctx, left)
}

// Compare compares what the emitter publishes and signs with to the steps taken.
func (s *System) Compare(ctx context.Context) (differences []string, err error) {
	if !s.byTokens() {
		identifier, err := s.current(ctx)
		if err != nil {
			return nil, err
		}
		if want := s.Identifier(s.emitting); identifier != want {
			differences = append(differences, fmt.Sprintf("%s is in use, and %s (%s) is the one to emit", identifier, s.emitting, want))
		}
		return differences, nil
	}
	sets, err := s.published(ctx)
	if err != nil {
		return nil, err
	}
	emitting, err := s.emitted(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, emitter := range slices.Sorted(maps.Keys(sets)) {
		for _, name := range slices.Sorted(maps.Keys(s.identifiers)) {
			switch published := slices.Contains(sets[emitter], s.identifiers[name]); {
			case published && !s.accepted[name] && s.attach.Steps["withdraw"].Cannot != "" && s.emitting == s.first && name != s.first:
				// It was published before the rotation, and stays.
			case published && !s.accepted[name]:
				differences = append(differences, fmt.Sprintf("%s still publishes %s", emitter, name))
			case !published && s.accepted[name]:
				differences = append(differences, fmt.Sprintf("%s does not publish %s", emitter, name))
			}
		}
	}
	if emitting != s.identifiers[s.emitting] {
		differences = append(differences, fmt.Sprintf("%s does not sign with %s", s.signer(), s.emitting))
	}
	return differences, nil
}
