package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// putBack puts the old password back from outside the rotation, like an operator that reconciles a
// login from an unchanged Secret, Terraform, Ansible, or a restored dump. When it is over, that source
// has been updated, and the login is as the rotation left it.
var putBack = Kind{
	Name: "put-back",
	Does: "has a controller give the login of a database its old password back, in the place of all others, " +
		"since the source that it reconciles from was not changed; when `for` is over it was, and the login is put right",
	Where:    "on: a database with one login for both passwords; at: verify or later",
	Evidence: "the database lets the harness in with the newest accepted password before it, and refuses that while it lasts",
	at: func(f scenario.Fault) error {
		if slices.Contains([]history.Phase{history.Baseline, history.Accept}, history.Phase(f.At.Phase)) {
			return errors.New("until the new password is accepted there is nothing to put back: at: verify, or later")
		}
		return nil
	},
	prepare: func(f scenario.Fault, g *Graph) error {
		s, there := g.service(f.On)
		if db := runbook.Databases[s.Serve]; !there || !db.OneLogin(s.Holds, s.Users) {
			return fmt.Errorf("%s is no database with one login for all passwords: %w", f.On, ErrCannot)
		}
		return nil
	},
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		if s.Logins == nil {
			return nil, fmt.Errorf("the login is not the run's own: %w", ErrCannot)
		}
		p := putBackFault{logins: s.Logins, at: f.On, evidence: s.History}
		p.showing = showing{once: p.once, differs: func(r Reading) bool { return r[takesNewest] == 0 }}
		return p, nil
	},
}

// Logins sets and asks logins at databases, beside the steps of a rotation.
type Logins interface {
	// PutBack makes the oldest credential the only one that a database takes.
	PutBack(ctx context.Context, database string) error
	// PutRight makes it take what the keyring accepts.
	PutRight(ctx context.Context, database string) error
	// ShowNewest logs in with the newest accepted credential of the keyring, and returns its name.
	ShowNewest(ctx context.Context, database string) (credential string, probe history.Probe, err error)
}

// takesNewest is 1 where a database takes the newest accepted credential.
const takesNewest = "takes_newest"

type putBackFault struct {
	untilEnd
	showing
	logins   Logins
	at       string
	evidence world.History
}

// Inject puts it back.
func (p putBackFault) Inject(ctx context.Context) error { return p.logins.PutBack(ctx, p.at) }

// Undo makes the database take what the rotation told it to.
func (p putBackFault) Undo(ctx context.Context) error { return p.logins.PutRight(ctx, p.at) }

// once logs in, counted as the harness's own; the reading is empty without an answer.
func (p putBackFault) once(ctx context.Context) Reading {
	credential, probe, err := p.logins.ShowNewest(ctx, p.at)
	if err != nil {
		return Reading{}
	}
	probe.Purpose = history.Garbage
	p.evidence.Record(history.Event{At: p.evidence.Offset(), Kind: history.KindProbe, Service: p.at, Credential: credential, Probe: &probe})
	switch probe.Outcome {
	case history.OK:
		return Reading{takesNewest: 1}
	case history.AuthFailure:
		return Reading{takesNewest: 0}
	}
	return Reading{}
}
