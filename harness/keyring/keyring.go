// Package keyring holds the state of one secret: every credential with its
// status, which one is emitted, and the step that is under way. It knows names
// and statuses only; the values of credentials never pass through it.
package keyring

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Status is where a credential stands in its life.
type Status string

// The statuses of a credential, in the order of an undisturbed life.
const (
	Pending   Status = "pending"   // made, accepted nowhere yet
	Accepted  Status = "accepted"  // validators may take it
	Disabled  Status = "disabled"  // refused, but its value still exists: rollback stays possible
	Destroyed Status = "destroyed" // its value is gone
)

// Step is one change of a keyring. Its name is also the name of the call on
// the authority that it stands for.
type Step string

// The steps. Accept, Emit, Revoke and Destroy make a rotation; Restore,
// Withdraw and Emit make its way back.
const (
	Accept   Step = "accept"   // pending or disabled → accepted
	Emit     Step = "emit"     // accepted → the one that emitters use
	Revoke   Step = "revoke"   // accepted and not emitted → disabled
	Restore  Step = "restore"  // disabled → accepted: undoes a revoke
	Withdraw Step = "withdraw" // accepted (or pending) and not emitted → disabled: undoes an accept
	Destroy  Step = "destroy"  // disabled → destroyed: cannot be undone
)

// ErrIllegal is in the chain of every error that a step returns because the
// keyring's state does not allow it.
var ErrIllegal = errors.New("step not allowed")

// Credential is one version of the secret.
type Credential struct {
	Status Status `json:"status"`
	// Identifier is what tells this credential from others on the wire: a
	// JWT kid, a version tag. It is public.
	Identifier string `json:"identifier,omitempty"`
}

// Intent is a step that was begun and not yet ended.
type Intent struct {
	Step       Step   `json:"step"`
	Credential string `json:"credential"`
}

// Keyring is every credential of one secret. The zero value is an empty
// keyring. It is not safe for concurrent use.
type Keyring struct {
	Emit        string                `json:"emit"`
	Credentials map[string]Credential `json:"credentials"`
	// Pending is written before an authority is touched, so that a rotator
	// that dies half-way can be finished or taken back.
	Pending *Intent `json:"pending,omitempty"`
}

// Add puts a new pending credential into the keyring under a name that is not
// in use.
func (k *Keyring) Add(name, identifier string) error {
	if name == "" {
		return fmt.Errorf("add credential without a name: %w", ErrIllegal)
	}
	if _, ok := k.Credentials[name]; ok {
		return fmt.Errorf("add credential %s, which is already there: %w", name, ErrIllegal)
	}
	if k.Credentials == nil {
		k.Credentials = map[string]Credential{}
	}
	k.Credentials[name] = Credential{Status: Pending, Identifier: identifier}
	return nil
}

// undoes says which step takes back another that was begun and perhaps not ended.
var undoes = map[Step]Step{Withdraw: Accept, Restore: Revoke}

// Begin notes that a step is about to be taken, after checking that the state
// allows it. Beginning the step that is already pending is allowed, and so is
// the one that takes it back: an interrupted rotation goes on or goes back. An
// emit is taken back by emitting another credential.
func (k *Keyring) Begin(step Step, name string) error {
	intent := Intent{Step: step, Credential: name}
	goesBack := k.Pending != nil && (*k.Pending == Intent{Step: undoes[step], Credential: name} ||
		step == Emit && k.Pending.Step == Emit)
	if k.Pending != nil && *k.Pending != intent && !goesBack {
		return fmt.Errorf("begin %s of %s while %s of %s is under way: %w",
			step, name, k.Pending.Step, k.Pending.Credential, ErrIllegal)
	}
	if _, err := k.after(step, name); err != nil {
		return err
	}
	k.Pending = &intent
	return nil
}

// End carries out the pending step in the keyring.
func (k *Keyring) End() error {
	if k.Pending == nil {
		return fmt.Errorf("end a step when none was begun: %w", ErrIllegal)
	}
	status, err := k.after(k.Pending.Step, k.Pending.Credential)
	if err != nil {
		return err
	}
	c := k.Credentials[k.Pending.Credential]
	c.Status = status
	k.Credentials[k.Pending.Credential] = c
	if k.Pending.Step == Emit {
		k.Emit = k.Pending.Credential
	}
	k.Pending = nil
	return nil
}

// after is the status that a credential has after a step, or why the step is
// not allowed now.
func (k *Keyring) after(step Step, name string) (Status, error) {
	c, ok := k.Credentials[name]
	if !ok {
		return "", fmt.Errorf("%s credential %s, which is not in the keyring: %w", step, name, ErrIllegal)
	}
	refuse := func(why string) (Status, error) {
		return "", fmt.Errorf("%s credential %s, which is %s: %w", step, name, why, ErrIllegal)
	}
	switch step {
	case Accept:
		if c.Status != Pending {
			return refuse(string(c.Status))
		}
		return Accepted, nil
	case Emit:
		if c.Status != Accepted {
			return refuse(string(c.Status))
		}
		return Accepted, nil
	case Revoke, Withdraw:
		if k.Emit == name {
			return refuse("the emitted one")
		}
		unfinished := step == Withdraw && c.Status == Pending
		if c.Status != Accepted && !unfinished {
			return refuse(string(c.Status))
		}
		return Disabled, nil
	case Restore:
		unfinished := k.Pending != nil && c.Status == Accepted // a revoke that was begun, or this step itself
		if c.Status != Disabled && !unfinished {
			return refuse(string(c.Status))
		}
		return Accepted, nil
	case Destroy:
		if c.Status != Disabled {
			return refuse(string(c.Status))
		}
		return Destroyed, nil
	}
	return refuse("asked for an unknown step")
}

// In lists the names of the credentials that have a status, sorted.
func (k *Keyring) In(status Status) []string {
	var names []string
	for name, c := range k.Credentials {
		if c.Status == status {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Clone is a deep copy.
func (k *Keyring) Clone() *Keyring {
	c := *k
	c.Credentials = maps.Clone(k.Credentials)
	if k.Pending != nil {
		p := *k.Pending
		c.Pending = &p
	}
	return &c
}

// Parse reads a keyring as Marshal of encoding/json wrote it.
func Parse(data []byte) (*Keyring, error) {
	var k Keyring
	if err := json.Unmarshal(data, &k); err != nil {
		return nil, fmt.Errorf("parse keyring: %w", err)
	}
	for name, c := range k.Credentials {
		switch c.Status {
		case Pending, Accepted, Disabled, Destroyed:
		default:
			return nil, fmt.Errorf("parse keyring: credential %s has unknown status %q", name, c.Status)
		}
	}
	return &k, nil
}
