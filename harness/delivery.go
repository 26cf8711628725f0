package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/family"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/mounted"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// secretVariable is the environment variable in which a consumer with
// distribution env finds what is published, as JSON.
const secretVariable = "REHEARSE_SECRET"

// secretFile is the name of the file of a consumer with distribution file.
const secretFile = "secret.json"

// delivery brings what is published to the consumers that do not read the store
// themselves, as those do who deploy in production: into a file, some time
// later; or into the environment, by a rolling restart.
//
//	step ─► store ─► what is published ─┬─► delay ─► file, which its consumer reads again
//	                                    └─► rolling restart of those on the page
//
// A consumer that is not on the page is started with what there is, and nobody
// knows that it has to be started anew.
type delivery struct {
	published func(context.Context) (map[string]any, error)
	redeploy  func(ctx context.Context, service string, environment map[string]string) error
	wrote     func(service, what, identifier string)
	trouble   func(error)
	// wholeSet says that consumers use all that is published, and not only the
	// credential to emit.
	wholeSet bool

	rolled []string // on the page, in the order in which they are started anew
	mu     sync.Mutex
	last   map[string]string // what each has, so far as it uses it
	moved  map[string]bool   // those that were started anew

	// own are the environments of consumers of a team's own that have the secret
	// in variables of their choice, before it is filled in.
	own     map[string]map[string]string
	files   []*fileDelivery
	reloads []*reloading
	tasks   sync.WaitGroup
	cancel  context.CancelFunc
}

// fileDelivery is the file of one consumer and what is on its way there.
type fileDelivery struct {
	service string
	folder  string
	delay   time.Duration // wall
	queue   chan parcel
	last    []byte                      // what was put there, or is on its way
	reload  func(context.Context) error // once it was written; nil: its reader notices
}

// parcel is a document and when it is due.
type parcel struct {
	document   []byte
	identifier string
	due        time.Time
}

// parcels bounds what is on its way to one file: a rotation with its way back
// has fewer than ten steps.
const parcels = 32

// newDelivery knows what each consumer of a plan is to get. Folder is that of
// the run's files; each consumer has one of its own below it.
func newDelivery(p *plan.Plan, folder string) *delivery {
	d := &delivery{
		wholeSet: !runbook.Families[p.Page.Scope.Family].Authority,
		last:     map[string]string{}, moved: map[string]bool{}, cancel: func() {},
		own: map[string]map[string]string{},
	}
	for _, s := range p.Services {
		switch {
		case !s.Reads:
		case s.Distribution == runbook.File:
			d.files = append(d.files, &fileDelivery{
				service: s.Name, folder: filepath.Join(folder, s.Name), delay: p.Wall(s.Delay.Duration()), queue: make(chan parcel, parcels),
			})
		case s.Distribution == runbook.Env && s.OnPage && !s.Pinned:
			d.rolled = append(d.rolled, s.Name)
		}
	}
	return d
}

// needsFolder reports whether a plan has consumers with a file.
func needsFolder(p *plan.Plan) bool {
	return slices.ContainsFunc(p.Services, func(s plan.Service) bool { return s.Reads && s.Distribution == runbook.File })
}

// configure adds to a service's spec how it gets what is published, for all
// that do not read the store.
func (d *delivery) configure(spec *world.Spec, s plan.Service) {
	switch {
	case s.Distribution == runbook.Env && s.Own():
	case s.Distribution == runbook.Env:
		spec.Config = family.WithVariable(s.Config, secretVariable)
	case s.Distribution == runbook.File:
		for _, f := range d.files {
			if f.service == s.Name {
				spec.Folders = append(spec.Folders, f.folder)
				if !s.Own() {
					spec.Config = family.WithFile(s.Config, filepath.Join(f.folder, secretFile))
				}
			}
		}
	}
}

// begin gives to services that are about to be started what there is, at once,
// and begins to look after their files.
func (d *delivery) begin(ctx context.Context, specs []world.Spec) error {
	background, cancel := context.WithCancel(context.WithoutCancel(ctx)) // ended by end
	d.cancel = cancel
	for _, r := range d.reloads {
		d.tasks.Go(func() { d.await(background, r) })
	}
	if !d.needed(specs) {
		return nil
	}
	document, encoded, err := d.read(ctx)
	if err != nil {
		return err
	}
	for i := range specs {
		if specs[i].Config["variable"] == secretVariable {
			specs[i].Environment = map[string]string{secretVariable: string(encoded)}
			d.last[specs[i].Name] = d.used(document, encoded)
		}
		if filled, asked := withSecret(specs[i].Environment, document, encoded); asked {
			d.own[specs[i].Name] = specs[i].Environment
			specs[i].Environment = over(specs[i].Environment, filled)
			d.last[specs[i].Name] = d.used(document, encoded)
		}
	}
	for _, r := range d.reloads {
		r.last = keysOf(document)
	}
	for _, f := range d.files {
		if err := mounted.Write(f.folder, secretFile, encoded); err != nil {
			return fmt.Errorf("write the file of %s: %w", f.service, err)
		}
		f.last = encoded
		d.tasks.Go(func() { d.follow(background, f) })
	}
	return nil
}

func (d *delivery) needed(specs []world.Spec) bool {
	return len(d.files)+len(d.reloads) > 0 || slices.ContainsFunc(specs, func(s world.Spec) bool {
		return s.Config["variable"] == secretVariable || asks(s, "secret")
	})
}

// read reads what is published.
func (d *delivery) read(ctx context.Context) (document map[string]any, encoded []byte, err error) {
	if document, err = d.published(ctx); err != nil {
		return nil, nil, fmt.Errorf("deliver what is published: %w", err)
	}
	if encoded, err = json.Marshal(document); err != nil {
		return nil, nil, fmt.Errorf("deliver what is published: %w", err)
	}
	return document, encoded, nil
}

// identifier is the one of the credential to emit.
func identifier(document map[string]any) string {
	emit, _ := document["emit"].(string)
	return emit
}

// used is the part of a document that tells whether a consumer has to be
// started anew: one that only presents uses nothing but the credential to emit.
func (d *delivery) used(document map[string]any, encoded []byte) string {
	if emit := identifier(document); emit != "" && !d.wholeSet {
		return emit
	}
	return string(encoded)
}

// deliver brings on its way what is published now, and returns when all have it
// that are started anew for it.
func (d *delivery) deliver(ctx context.Context) error {
	if len(d.files)+len(d.rolled)+len(d.reloads) == 0 {
		return nil
	}
	document, encoded, err := d.read(ctx)
	if err != nil {
		return err
	}
	for _, f := range d.files {
		if bytes.Equal(encoded, f.last) {
			continue
		}
		f.last = encoded
		select {
		case f.queue <- parcel{encoded, identifier(document), time.Now().Add(f.delay)}:
		default:
			return fmt.Errorf("deliver to the file of %s: %d documents are on their way already", f.service, parcels)
		}
	}
	if err := d.announce(document); err != nil {
		return err
	}
	for _, name := range d.rolled {
		if err := d.roll(ctx, name, document, encoded); err != nil {
			return err
		}
	}
	return nil
}

// roll starts a consumer anew if it uses what has changed.
func (d *delivery) roll(ctx context.Context, name string, document map[string]any, encoded []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	used := d.used(document, encoded)
	if d.last[name] == used {
		return nil
	}
	d.moved[name] = true
	environment := map[string]string{secretVariable: string(encoded)}
	if own, there := d.own[name]; there {
		environment, _ = withSecret(own, document, encoded)
	}
	if err := d.redeploy(ctx, name, environment); err != nil {
		return fmt.Errorf("deliver to the environment of %s: %w", name, err)
	}
	d.last[name] = used
	d.wrote(name, runbook.Env, identifier(document))
	return nil
}

// restarted reports whether a service was started anew: what its first life
// counted is in its log only.
func (d *delivery) restarted(service string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.moved[service]
}

// follow writes a file whenever a document is due, in the order in which they
// were published, until ctx ends.
func (d *delivery) follow(ctx context.Context, f *fileDelivery) {
	for {
		select {
		case <-ctx.Done():
			return
		case p := <-f.queue:
			if (world.WallClock{}).Sleep(ctx, time.Until(p.due)) != nil {
				return
			}
			if err := mounted.Write(f.folder, secretFile, p.document); err != nil {
				d.trouble(fmt.Errorf("write the file of %s: %w", f.service, err))
				continue
			}
			d.wrote(f.service, runbook.File, p.identifier)
			if f.reload != nil {
				d.reload(ctx, f.service, p.identifier, f.reload)
			}
		}
	}
}

// end ends the looking after files, and waits for it.
func (d *delivery) end(context.Context) error {
	d.cancel()
	d.tasks.Wait()
	return nil
}

// delivering are steps after which also those have what was published who do
// not read the store.
type delivering struct {
	family.Bound
	delivery *delivery
}

var (
	_ world.Steps     = delivering{}
	_ world.Comparer  = delivering{}
	_ world.Contacter = delivering{}
)

// Do takes a step and delivers what it published.
func (s delivering) Do(ctx context.Context, step keyring.Step, credential string) error {
	if err := s.Bound.Do(ctx, step, credential); err != nil {
		return err
	}
	return s.delivery.deliver(ctx)
}

// Another begins another rotation, and delivers what that published.
func (s delivering) Another(ctx context.Context, credential string) (identifier string, err error) {
	if identifier, err = s.Bound.Another(ctx, credential); err != nil {
		return "", err
	}
	return identifier, s.delivery.deliver(ctx)
}

// delivered records that a consumer was given what is published.
func (r *run) delivered(service, what, identifier string) {
	r.evidence.Record(history.Event{
		At: r.evidence.Offset(), Kind: history.KindDelivered, Service: service, What: what,
		Identifier: identifier, Credential: r.names.Credential(identifier),
	})
}
