// Package delivery brings what is published to the consumers that do not read the
// store themselves, as those do who deploy in production: into a file, some time
// later; or into the environment, by a rolling restart. Those that do not notice
// a change it makes reload.
//
//	step ─► store ─► what is published ─┬─► delay ─► file, which its consumer reads again
//	                                    ├─► rolling restart of those on the page
//	                                    └─► after ─► signal, request or restart
//
// A consumer that is not on the page is started with what there is, and nobody
// knows that it has to be started anew.
package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// secretFile is the name of the file of a consumer with distribution file.
const secretFile = "secret.json"

// Hooks are a delivery's calls to its run. None may be nil.
type Hooks struct {
	// Published reads what consumers are to have, at the store.
	Published func(ctx context.Context) (map[string]any, error)
	// Wrote is called when a service was given what is published, by runbook.Env, runbook.File or
	// history.Reload, with the identifier of the credential to emit; began is when it was begun to start
	// the service anew, or to make it reload.
	Wrote func(service, what, identifier string, began time.Time)
	// Mounted is called when the API server of a cluster has new credentials for a service, with their
	// identifiers: the kubelet does the rest.
	Mounted func(service string, identifiers []string)
	// Trouble gets the errors of background work.
	Trouble func(error)
}

// Delivery is that of one run. It is safe for concurrent use once it has begun.
type Delivery struct {
	hooks    Hooks
	redeploy func(ctx context.Context, service string, environment map[string]string) error
	write    func(ctx context.Context, service string, contents map[string][]byte) error
	// wholeSet says that consumers use all that is published, and not only the
	// credential to emit.
	wholeSet bool

	// turn is held while somebody reads what is published and sends it out: of two at once, the one
	// with the older document could be the last.
	turn    chan struct{}
	latest  atomic.Pointer[published] // what was sent out last
	files   []*fileDelivery
	reloads []*reloading

	rolled []string // on the page, in the order in which they are started anew
	mu     sync.Mutex
	last   map[string]string // what each has of what it uses
	moved  map[string]bool   // those that were started anew
	// disturbed are the consumers whose rollouts go wrong, and how; behind are those that lack what
	// they are believed to have; written is what was last put into the environment of each. stick
	// begins a rollout that never ends; nil: the runtime has no background rollouts.
	disturbed map[string]world.RolloutTrouble
	behind    map[string]bool
	written   map[string]published
	stick     func(ctx context.Context, service string, environment map[string]string, by world.RolloutTrouble) error

	// cluster says that volumes and environments are delivered as in a cluster.
	cluster bool

	// own are the environments of consumers of a team's own, with the secret in variables of their choice,
	// before it is filled in.
	own map[string]map[string]string
	// address fills in a word of an address, once addresses are known.
	address address
	tasks   sync.WaitGroup
	cancel  context.CancelFunc
}

// published is a document as it was read, and encoded for consumers.
type published struct {
	document map[string]any
	encoded  []byte
}

// fileDelivery delivers the files of one consumer.
type fileDelivery struct {
	service string
	folder  string // as the service finds it
	brought string // by which way of distribution
	write   func(ctx context.Context, service string, contents map[string][]byte) error
	delay   time.Duration // wall
	queue   chan fileUpdate
	last    map[string][]byte           // the contents last written, or on their way
	keys    map[string]string           // of its document
	reload  func(context.Context) error // once they were written; nil: their reader notices
	// bare says that it has no secretFile, but files of its own only.
	bare bool
	own  []ownFile
	// never says that its files never change, since they are mounted by subPath.
	never bool
	first published // what they were made of at its start
	back  bool      // somebody writes them back to first; the holder of the turn changes it
}

// fileUpdate is the next content of a consumer's files, by their names, and when it is due.
type fileUpdate struct {
	contents   map[string][]byte
	identifier string
	news       []string // identifiers of credentials that were not there before
	due        time.Time
}

// parcels bounds the updates under way to one file: a rotation with its rollback has fewer than ten
// steps.
const parcels = 32

// New prepares the delivery to the consumers of a plan, and starts nothing. An error says what the plan
// asks of the runtime that it cannot do.
func New(p *plan.Plan, runtime world.Runtime, hooks Hooks) (*Delivery, error) {
	d := &Delivery{
		hooks: hooks, wholeSet: !runbook.Traits[p.Runbook.Scope.Family].Authority,
		turn: make(chan struct{}, 1), last: map[string]string{}, moved: map[string]bool{}, cancel: func() {},
		own: map[string]map[string]string{}, disturbed: map[string]world.RolloutTrouble{}, behind: map[string]bool{}, written: map[string]published{},
	}
	_, d.cluster = runtime.(world.Cluster)
	for _, s := range p.Instances() {
		if delivers(s) {
			folder, err := d.folderOf(s, runtime)
			if err != nil {
				return nil, err
			}
			d.files = append(d.files, &fileDelivery{
				service: s.Name, folder: folder, brought: s.Distribution, write: d.write, delay: d.delayOf(p, s), queue: make(chan fileUpdate, parcels),
				own: ownFiles(s), bare: isBare(s), never: s.Pinned,
			})
		}
		if s.Reads && runbook.Way(s.Distribution) == runbook.Env && s.OnPage && !s.Pinned {
			d.rolled = append(d.rolled, s.Name)
		}
	}
	if err := d.prepareReloads(p, runtime); err != nil {
		return nil, err
	}
	redeployer, ok := runtime.(world.Redeployer)
	if len(d.rolled) > 0 && !ok {
		return nil, fmt.Errorf("the runtime %s cannot start %s anew: distribution env is not possible here", runtime.Name(), d.rolled[0])
	}
	if ok {
		d.redeploy = redeployer.Redeploy
	}
	if sticker, ok := runtime.(world.Sticker); ok {
		d.stick = sticker.Stick
	}
	return d, nil
}

// delayOf is how long after the store the files of a service are written; wall time.
func (d *Delivery) delayOf(p *plan.Plan, s plan.Service) time.Duration {
	if d.cluster && runbook.Mounted(s.Distribution) {
		return 0
	}
	return p.Wall(s.Delay.Duration())
}

// folderOf is where a service has its files.
func (d *Delivery) folderOf(s plan.Service, runtime world.Runtime) (string, error) {
	files, ok := runtime.(world.Files)
	if !ok {
		return "", fmt.Errorf("the runtime %s cannot write files for %s: distribution %s is not possible here", runtime.Name(), s.Name, s.Distribution)
	}
	d.write = files.WriteFiles
	return files.Folder(s.Name)
}

// delivers reports whether a service has files that are written for it.
func delivers(s plan.Service) bool {
	return s.Reads && runbook.Way(s.Distribution) == runbook.File || len(ownFiles(s)) > 0
}

// Configure adds to a service's spec how it gets what is published, where it does not read the store.
func (d *Delivery) Configure(spec *world.Spec, s plan.Service) {
	switch {
	case s.External():
		if f := d.filesOf(s.Name); f != nil {
			f.give(spec)
			spec.Links = f.links()
		}
	case runbook.Way(s.Distribution) == runbook.Env:
		spec.Config = contract.Copy(s.Config)
		contract.PublishedTo(spec.Config).Variable = contract.SecretVariable
	case runbook.Way(s.Distribution) == runbook.File:
		if f := d.filesOf(s.Name); f != nil {
			f.give(spec)
			spec.Config = contract.Copy(s.Config)
			contract.PublishedTo(spec.Config).File = filepath.Join(f.folder, secretFile)
		}
	}
}

// give puts into a service's spec where it finds its files, and how they get there.
func (f *fileDelivery) give(spec *world.Spec) {
	spec.Folder, spec.Brought, spec.SubPath = f.folder, f.brought, f.never
}

// filesOf are the files of a service; nil: it has none.
func (d *Delivery) filesOf(service string) *fileDelivery {
	for _, f := range d.files {
		if f.service == service {
			return f
		}
	}
	return nil
}

// Begin delivers what is published to services that are about to be started: it completes their specs,
// writes the files, and keeps both up to date until End.
func (d *Delivery) Begin(ctx context.Context, specs []world.Spec) error {
	background, cancel := context.WithCancel(context.WithoutCancel(ctx)) // ended by End
	d.cancel = cancel
	for _, r := range d.reloads {
		d.tasks.Go(func() { d.await(background, r) })
	}
	if !d.needed(specs) {
		return nil
	}
	return d.inTurn(ctx, func(p published) error {
		d.fill(specs, p)
		for _, r := range d.reloads {
			r.last = r.uses(p.document)
		}
		for i := range specs {
			d.before(ctx, &specs[i], p)
		}
		for _, f := range d.files {
			if len(f.own) == 0 { // files of its own may need addresses that are not known yet
				if err := d.writeFirst(ctx, f, p); err != nil {
					return err
				}
			}
			d.tasks.Go(func() { d.follow(background, f) })
		}
		return nil
	})
}

// writeFirst writes the files of a service that is about to be started.
func (d *Delivery) writeFirst(ctx context.Context, f *fileDelivery, p published) error {
	contents, err := f.contents(p, d.addresses())
	if err != nil {
		return fmt.Errorf("write the files of %s: %w", f.service, err)
	}
	if err := f.write(ctx, f.service, contents); err != nil {
		return fmt.Errorf("write the files of %s: %w", f.service, err)
	}
	f.last, f.keys, f.first = contents, contract.HeldOf(p.document).Keys, p
	return nil
}

func (d *Delivery) needed(specs []world.Spec) bool {
	return len(d.files)+len(d.reloads) > 0 || slices.ContainsFunc(specs, func(s world.Spec) bool {
		return startedWith(s) || Asks(s, "secret")
	})
}

// startedWith reports whether a stand-in is started with what is published.
func startedWith(s world.Spec) bool {
	reads := contract.PublishedTo(s.Config)
	return reads != nil && reads.Variable != ""
}

// fill puts what is published into the environments that have it.
func (d *Delivery) fill(specs []world.Spec, p published) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range specs {
		if startedWith(specs[i]) {
			specs[i].Environment = map[string]string{contract.SecretVariable: string(p.encoded)}
			d.last[specs[i].Name] = d.used(p)
			d.written[specs[i].Name] = p
		}
		if filled, asked := withSecret(specs[i].Environment, p); asked {
			d.own[specs[i].Name] = specs[i].Environment
			specs[i].Environment = over(specs[i].Environment, filled)
			d.last[specs[i].Name] = d.usedBy(specs[i].Name, p)
			d.written[specs[i].Name] = p
		}
	}
}

// inTurn reads what is published and passes it to bring, one at a time.
func (d *Delivery) inTurn(ctx context.Context, bring func(published) error) error {
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("deliver what is published: wait for another delivery: %w", ctx.Err())
	}
	defer func() { <-d.turn }()
	document, err := d.hooks.Published(ctx)
	if err != nil {
		return fmt.Errorf("deliver what is published: %w", err)
	}
	encoded, err := json.Marshal(document)
	if err != nil {
		return fmt.Errorf("deliver what is published: %w", err)
	}
	return bring(published{document, encoded})
}

// identifier is the one of the credential to emit.
func (p published) identifier() string {
	emit, _ := p.document["emit"].(string)
	return emit
}

// used is the part of a document on which it depends whether a consumer must be restarted: a pure
// presenter uses only the credential to emit.
func (d *Delivery) used(p published) string {
	if emit := p.identifier(); emit != "" && !d.wholeSet {
		return emit
	}
	return string(p.encoded)
}

// usedBy is used for one service; for an external one, what its environment asks for. d.mu is held.
func (d *Delivery) usedBy(service string, p published) string {
	own, ok := d.own[service]
	if !ok {
		return d.used(p)
	}
	p.encoded = []byte(d.used(p)) // where it asks for all that is published
	filled, _ := withSecret(own, p)
	encoded, err := json.Marshal(filled)
	if err != nil {
		return d.used(p) // texts can always be encoded
	}
	return string(encoded)
}

// Restarted reports whether a service was restarted: only its log has what its first life counted.
func (d *Delivery) Restarted(service string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.moved[service]
}

// End ends background work and waits for it. There may have been no Begin.
func (d *Delivery) End(context.Context) error {
	d.cancel()
	d.tasks.Wait()
	return nil
}
