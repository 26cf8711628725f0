package simulated

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// steps are the changes of a rotation, made in the world's keyring.
type steps struct{ *World }

var (
	_ world.Steps     = steps{}
	_ world.Comparer  = steps{}
	_ world.Contacter = steps{}
)

// errStoreDown is the error of a store that is down.
var errStoreDown = errors.New("the store does not answer")

// errNoSlot is the error of a full authority.
var errNoSlot = errors.New("no slot is free: delete a key first")

// Contact fails while the store is down.
func (w steps) Contact(ctx context.Context) error {
	if err := cancelled(ctx); err != nil || !w.down[storeName] {
		return err
	}
	return errStoreDown
}

// cancelled is the error of a cancelled context. Deadlines are in the machine's time, of which this
// world takes none.
func cancelled(ctx context.Context) error {
	if err := ctx.Err(); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// Compare returns the differences of the options, an unfinished step, and a published set that differs
// from the keyring's.
func (w steps) Compare(ctx context.Context) (differences []string, err error) {
	if err := w.Contact(ctx); err != nil {
		return nil, err
	}
	differences = slices.Clone(w.options.Disagree)
	if p := w.keyring.Pending; p != nil {
		differences = append(differences, fmt.Sprintf("the %s of %s is under way", p.Step, p.Credential))
	}
	if set := slices.Sorted(slices.Values(w.published.set)); !slices.Equal(set, w.accepted()) {
		differences = append(differences, fmt.Sprintf("published are %v, accepted %v", set, w.accepted()))
	}
	return differences, nil
}

// Make adds a pending credential; its identifier is its name with a prefix.
func (w steps) Make(ctx context.Context, name string) (identifier string, err error) {
	if err := w.Contact(ctx); err != nil {
		return "", err
	}
	if w.started && w.makeError != nil {
		err, w.makeError = w.makeError, nil
		return "", err
	}
	identifier = "kid-" + name
	w.odd[name] = w.otherType
	return identifier, w.keyring.Add(name, identifier)
}

// Do takes a step at once: in the keyring, in what is published, and at the authorities.
func (w steps) Do(ctx context.Context, step keyring.Step, credential string) error {
	if err := w.Contact(ctx); err != nil {
		return err
	}
	if w.crossed != nil && step != keyring.Destroy { // which publishes nothing
		return fmt.Errorf("%s %s: %w", step, credential, world.ErrOtherRotation)
	}
	if w.deliveries != nil && w.deliveries.oldest && step == keyring.Emit && w.keyring.Emit > credential {
		return fmt.Errorf("emit %s: it was revoked at the sender", credential)
	}
	if err := w.keyring.Begin(step, credential); err != nil {
		return err
	}
	intent := keyring.Intent{Step: step, Credential: credential}
	if scripted := w.options.StepErrors[intent]; scripted != nil && !w.failed[intent] {
		w.failed[intent] = true
		return scripted
	}
	if step == keyring.Accept && w.started && w.full() {
		return fmt.Errorf("accept %s: %w", credential, errNoSlot)
	}
	if err := w.keyring.End(); err != nil {
		return err
	}
	if w.crossed != nil {
		return nil
	}
	if w.dies != nil {
		w.decide()
		w.clock.await(w.dies)
	}
	w.publish()
	return nil
}

// publish puts the accepted credentials where emitters read them, and tells the
// authorities.
func (w *World) publish() {
	accepted := w.accepted()
	if i := slices.Index(accepted, w.keyring.Emit); i > 0 {
		accepted = slices.Insert(slices.Delete(accepted, i, i+1), 0, w.keyring.Emit)
	}
	w.put(accepted, w.keyring.Emit)
}

// put publishes a set.
func (w *World) put(set []string, emit string) {
	w.published = document{version: w.published.version + 1, set: set, emit: emit}
	if !w.started {
		if w.keyring.Emit != "" {
			w.start()
		}
		return
	}
	w.spoilNew()
	w.decide()
	for _, name := range w.order {
		if e := w.emitters[name]; e != nil {
			e.deliver()
		}
		if v := w.validators[name]; v != nil {
			v.deliver()
		}
	}
}

// decide makes authorities take what is accepted now.
func (w *World) decide() {
	for _, name := range w.order {
		if v := w.validators[name]; v != nil && v.authority && w.started {
			v.decided()
		}
	}
}

// probes are the presentations by the harness itself.
type probes struct{ *World }

var _ world.Probes = probes{}

// Hold makes a token now, with the given life.
func (w probes) Hold(ctx context.Context, credential string, life time.Duration) error {
	w.held[credential] = w.now() + history.Offset(life)
	return ctx.Err()
}

// errNoToken says that a revocation cannot be proven: any token would be refused for its age, or would
// have to be made with the revoked credential.
var errNoToken = errors.New("no token that was made before the revoke is still alive")

// Present shows a credential to a validator. After a revoke the old one needs a
// token that was held.
func (w probes) Present(ctx context.Context, name, credential string, purpose history.Purpose) (probe history.Probe, err error) {
	took := w.takes(name)
	if err := w.clock.Sleep(ctx, took); err != nil {
		return probe, err
	}
	v := w.validators[name]
	if v == nil {
		return probe, fmt.Errorf("present %s: there is no validator %q", credential, name)
	}
	probe = history.Probe{Purpose: purpose, Latency: history.Offset(took) + history.Offset(latency*time.Microsecond), Presentation: "new token"}
	if purpose == history.OldAfter && !v.authority {
		if w.held[credential] <= w.now() {
			return probe, fmt.Errorf("present %s: %w", credential, errNoToken)
		}
		probe.Presentation = "token made before the revoke"
	}
	fetches := v.fetches
	probe.Outcome, probe.Status = v.decide("", credential)
	probe.CausedFetch = v.fetches > fetches
	w.probed(probe)
	return probe, nil
}

// takes is how long a validator's answer takes, or how long a missing one is waited for.
func (w probes) takes(name string) (took time.Duration) {
	took = w.options.Slow[name]
	if w.down[name] && w.frozen[name] {
		took = contract.ClientTimeout
	}
	return min(took, contract.ClientTimeout)
}
