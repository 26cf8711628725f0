package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/family"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge/rules"
	"github.com/rehearse-dev/rehearse/harness/logs"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/rotation"
	"github.com/rehearse-dev/rehearse/harness/runtime"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
	"github.com/rehearse-dev/rehearse/harness/source"
	"github.com/rehearse-dev/rehearse/harness/store"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// Errors of Resume.
var (
	// ErrAlive says that the harness of the run is alive, and ends its run itself.
	ErrAlive = errors.New("its harness is alive")
	// ErrGone says that everything the run had changed died with it.
	ErrGone = errors.New("what it had changed is gone")
	// ErrChanged says that the page or the scenario has changed since the run.
	ErrChanged = errors.New("its page or scenario was changed meanwhile")
	// ErrOtherVault says that the run's folder names another Vault than the options.
	ErrOtherVault = errors.New("its folder names another Vault")
)

// ResumeOptions say how a dead run is ended.
type ResumeOptions struct {
	// VaultAddr and VaultToken are the Vault of a run that did not start its own. The folder names it
	// too, but a folder may be anybody's: a token goes only where these say.
	VaultAddr, VaultToken string
	Runs                  string // as in Options
	Place                 launch.Place
	// Finish completes the step that was under way; otherwise the rotation is taken back where that is
	// possible.
	Finish bool
}

// Resumed is what became of a dead run.
type Resumed struct {
	Outcome *Result
	Did     string // in a sentence
	// Agreement is whether authority and store agree now.
	Agreement history.Agreement
}

// Resume ends the rotation of a run whose harness died, from what its keyring
// says was under way: it is taken back, or its step finished, so that authority
// and store agree. Then all that is left of the run is removed. The plan must be
// that of the run. What is done is added to the history in the folder.
//
// What is left depends on where the run was: containers live on without their
// harness, and so does a Vault that was named; processes, and a store among
// them, die with it (ErrGone).
func Resume(ctx context.Context, p *plan.Plan, u *Unfinished, folder string, o ResumeOptions) (*Resumed, error) {
	if o.Runs == "" {
		o.Runs = leftover.DefaultDir()
	}
	fail := func(err error) (*Resumed, error) { return nil, fmt.Errorf("resume run %s: %w", u.Run, err) }
	alive, err := leftover.Alive(o.Runs, u.Run)
	switch {
	case err != nil:
		return fail(err)
	case alive:
		return fail(ErrAlive)
	case !sameAddress(u.VaultAddr, o.VaultAddr):
		return fail(fmt.Errorf("%w: %q, and not %q", ErrOtherVault, u.VaultAddr, o.VaultAddr))
	case p.ScenarioDigest != u.ScenarioDigest || p.RunbookDigest != u.RunbookDigest:
		return fail(ErrChanged)
	}
	r := &resumption{plan: p, unfinished: u, folder: folder, o: o}
	if err := r.attach(ctx); err != nil {
		return fail(err)
	}
	resumed, err := r.resume(ctx)
	if err != nil {
		return fail(err)
	}
	if err := r.clean(ctx); err != nil {
		return resumed, fmt.Errorf("resume run %s: %w: %w", u.Run, ErrCleanUp, err)
	}
	return resumed, nil
}

// resumption brings a dead run to its end.
type resumption struct {
	plan       *plan.Plan
	unfinished *Unfinished
	folder     string
	o          ResumeOptions

	services map[string]launch.Adopted // those that are still there
	store    *store.Store
	bound    family.Binding
	evidence recording
}

// attach finds the store and the authorities.
func (r *resumption) attach(ctx context.Context) (err error) {
	u := r.unfinished
	if kind, known := runtime.Of(u.Runtime); known && kind.Adopt != nil {
		if r.services, err = kind.Adopt(ctx, u.Run, r.o.Place); err != nil {
			return err
		}
	}
	url, token := r.o.VaultAddr, r.o.VaultToken
	if url == "" {
		url = r.services[storeService].URL
		told, err := contract.Parse("store", r.services[storeService].Config)
		if err == nil {
			token = told.(*contract.Store).RootToken
		}
	}
	switch {
	case url == "":
		return fmt.Errorf("%w: its store was started with the run as a %s, and is not there any more", ErrGone, u.Runtime)
	case token == "":
		return fmt.Errorf("%w: only the dead harness had the token of its store (%s)", ErrGone, u.Store)
	}
	f, err := family.Of(r.plan)
	if err != nil {
		return err
	}
	if err := f.Configure(r.plan); err != nil {
		return fmt.Errorf("configure services: %w", err)
	}
	for _, name := range family.Authorities(r.plan) {
		if r.services[name].URL == "" {
			return fmt.Errorf("%w: %s, which decides what is accepted, died with the run", ErrGone, name)
		}
	}
	var readers []string
	for i, s := range r.plan.Services {
		if s.Reads {
			readers = append(readers, s.Name)
		}
		if told := r.services[s.Name].Config; told != nil { // with what was made for the run
			if r.plan.Services[i].Config, err = contract.Parse(s.Serve, told); err != nil {
				return fmt.Errorf("read the configuration of %s: %w", s.Name, err)
			}
		}
	}
	part := store.ReadersPart(u.Run, readers...)
	recorded, err := leftover.VaultOf(r.o.Runs, u.Run)
	if err != nil {
		return err
	}
	if recorded != nil {
		part.Policies, part.Accessors = append(part.Policies, recorded.Policies...), recorded.Accessors
	}
	if r.store, err = store.Attach(ctx, store.Server{URL: url, Token: token}, u.Run, part); err != nil {
		return err
	}
	r.bound = f.Bind(family.Backend{
		Plan: r.plan, Store: r.store, Published: store.Below(r.plan.Runbook.Storage.Publish.Path), URL: r.url,
		See: func(look func(*history.View)) { r.evidence.See(look) },
	})
	return nil
}

// url is the address of a service of the run.
func (r *resumption) url(service string, inside bool) string {
	found, ok := r.services[service]
	if !ok || !inside {
		return found.URL
	}
	for _, s := range r.plan.Services {
		if s.Name == service && s.Serve == "" && len(s.Ports) > 0 {
			return fmt.Sprintf("http://%s:%d", service, s.Ports[0])
		}
	}
	return "http://" + service + ":8080"
}

// resume takes the steps, and writes the history anew with them.
func (r *resumption) resume(ctx context.Context) (*Resumed, error) {
	ring, err := r.bound.Keyring(ctx)
	if err != nil {
		return nil, err
	}
	if len(ring.Credentials) == 0 {
		return nil, fmt.Errorf("%w: there is no keyring in its store", ErrGone)
	}
	path := filepath.Join(r.folder, EventsFile)
	saved, err := source.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	before, err := history.ReadCutOff(saved, path)
	if err := errors.Join(err, saved.Close()); err != nil {
		return nil, err
	}
	file, err := os.Create(path + ".new")
	if err != nil {
		return nil, fmt.Errorf("write the history: %w", err)
	}
	recorder := history.NewRecorder(r.unfinished.StartedAt, file)
	r.evidence = recording{recorder: recorder, names: logs.NewNames(r.plan), probes: &probes{}, bound: func() any { return r.bound }}
	for _, e := range before.Events {
		r.evidence.Record(e)
	}
	did, err := rotation.Resume(ctx, r.plan, world.World{
		Clock: world.WallClock{}, Steps: r.bound, Probes: r.bound, History: r.evidence, Operator: approving{},
	}, rotation.Unfinished{Keyring: ring, Finish: r.o.Finish, Alive: len(r.services) > 0})
	h, closing := recorder.Close(listenerPatience)
	// Steps are reported even where the resume failed half-way.
	if err := errors.Join(err, replace(path, file, closing)); err != nil {
		return nil, err
	}
	limits, err := rules.Limits(h)
	if err != nil {
		return nil, err
	}
	resumed := &Resumed{Did: did, Outcome: &Result{
		Plan: r.plan, History: h, Limits: limits, Verdict: rules.Judge(h, limits), Ended: history.EndedRolledBack,
		Folder: r.folder, Run: r.unfinished.Run, Runtime: r.unfinished.Runtime, Store: r.unfinished.Store, StartedAt: r.unfinished.StartedAt,
	}}
	for _, e := range h.Events {
		if e.Kind == history.KindAgreement {
			resumed.Agreement = *e.Agreement
		}
	}
	return resumed, nil
}

// replace moves a fully written file into the place of another: part of a history must never replace a
// whole one. After an error the written file is removed.
func replace(path string, written *os.File, err error) error {
	if err = errors.Join(err, written.Close()); err == nil {
		err = os.Rename(written.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(written.Name()))
	}
	return nil
}

// clean removes what is left of the run.
func (r *resumption) clean(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTimeout)
	defer cancel()
	var errs []error
	if r.o.VaultAddr != "" {
		if err := r.store.Close(ctx); err != nil {
			return err
		}
		errs = append(errs, leftover.ForgetVault(r.o.Runs, r.unfinished.Run))
	}
	_, err := leftover.Sweep(ctx, r.o.Runs, Places(r.o.VaultAddr, r.o.VaultToken, r.o.Place))
	errs = append(errs, err)
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return markFinished(r.folder)
}
