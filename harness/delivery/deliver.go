package delivery

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/family"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// deliver sends out what is published now, and returns when every consumer that is restarted for it has
// it.
func (d *Delivery) deliver(ctx context.Context) error {
	if len(d.files)+len(d.rolled)+len(d.reloads) == 0 {
		return nil
	}
	if err := d.inTurn(ctx, d.send); err != nil {
		return err
	}
	for _, name := range d.rolled {
		if err := d.roll(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// send enqueues a document for each consumer to which it is news; the caller holds the turn.
func (d *Delivery) send(p published) error {
	d.latest.Store(&p)
	for _, f := range d.files {
		if f.never {
			continue
		}
		p := p
		if f.back {
			p = f.first
		}
		contents, err := f.contents(p, d.addresses())
		if err != nil {
			return fmt.Errorf("deliver to the files of %s: %w", f.service, err)
		}
		if maps.EqualFunc(contents, f.last, bytes.Equal) {
			continue
		}
		news := []string{}
		keys := contract.HeldOf(p.document).Keys
		for _, name := range slices.Sorted(maps.Keys(keys)) {
			if _, ok := f.keys[name]; !ok {
				news = append(news, name)
			}
		}
		f.last, f.keys = contents, keys
		select {
		case f.queue <- fileUpdate{contents, p.identifier(), news, time.Now().Add(f.delay)}:
		default:
			return fmt.Errorf("deliver to the files of %s: %d documents are on their way already", f.service, parcels)
		}
	}
	return d.announce(p)
}

// follow writes a consumer's files as documents come due, in their order, until ctx ends.
func (d *Delivery) follow(ctx context.Context, f *fileDelivery) {
	for {
		select {
		case <-ctx.Done():
			return
		case p := <-f.queue:
			if (world.WallClock{}).Sleep(ctx, time.Until(p.due)) != nil {
				return
			}
			if err := f.write(ctx, f.service, p.contents); err != nil {
				d.hooks.Trouble(fmt.Errorf("write the files of %s: %w", f.service, err))
				continue
			}
			if d.cluster && len(p.news) > 0 {
				d.hooks.Mounted(f.service, p.news)
			}
			d.hooks.Wrote(f.service, runbook.File, p.identifier, time.Now())
			if f.reload != nil {
				d.reload(ctx, f.service, p.identifier, f.reload)
			}
		}
	}
}

// Steps are a family's steps, each of which also delivers to the consumers that do not read the store.
func (d *Delivery) Steps(bound family.Binding) family.Binding { return deliveringSteps{bound, d} }

type deliveringSteps struct {
	family.Binding
	delivery *Delivery
}

// Do takes a step and delivers what it published.
func (s deliveringSteps) Do(ctx context.Context, step keyring.Step, credential string) error {
	if err := s.Binding.Do(ctx, step, credential); err != nil {
		return err
	}
	return s.delivery.deliver(ctx)
}

// Another begins another rotation, and delivers what that published. It may be
// called while a step is taken.
func (s deliveringSteps) Another(ctx context.Context, credential string) (identifier string, err error) {
	if identifier, err = s.Binding.Another(ctx, credential); err != nil {
		return "", err
	}
	return identifier, s.delivery.deliver(ctx)
}
