package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// DisturbRollouts makes the rollouts of a service go wrong from now on, without waiting for them to
// end. With how "" they work again, and the service is rolled out with what is published.
func (d *Delivery) DisturbRollouts(ctx context.Context, service string, how world.RolloutTrouble) error {
	if !slices.Contains(d.rolled, service) {
		return fmt.Errorf("disturb the rollouts of %s: it is not started anew for what is published", service)
	}
	d.mu.Lock()
	d.disturbed[service] = how
	if how == "" && d.behind[service] {
		delete(d.last, service) // roll it out in any case
		delete(d.behind, service)
	}
	d.mu.Unlock()
	if how != "" {
		return nil
	}
	return d.deliver(ctx)
}

// roll restarts a consumer if what it uses has changed. It takes the latest document, which may be
// newer than the caller's: restarts wait for each other, in no order.
func (d *Delivery) roll(ctx context.Context, name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := *d.latest.Load()
	used := d.usedBy(name, p)
	if d.last[name] == used {
		return nil
	}
	began := time.Now()
	err := d.rollOut(ctx, name, p)
	given := !errors.Is(err, errNotGiven)
	if given && err != nil {
		return fmt.Errorf("deliver to the environment of %s: %w", name, err)
	}
	d.last[name], d.behind[name] = used, !given // the deployer believes that it has it
	if given {
		d.hooks.Wrote(name, runbook.Env, p.identifier(), began)
	}
	return nil
}

// errNotGiven says that a service was deliberately not given what is published.
var errNotGiven = errors.New("its rollouts are disturbed")

// rollOut restarts a consumer with what is published, as its rollouts go; errNotGiven where it then has
// something else. d.mu is held.
func (d *Delivery) rollOut(ctx context.Context, name string, p published) error {
	how, gets := d.disturbed[name], p
	if how == world.RolloutEarly {
		gets = d.written[name]
	}
	d.written[name] = p
	environment, err := d.environmentOf(name, gets)
	if err != nil {
		return err
	}
	if how != "" && how != world.RolloutEarly {
		if d.stick != nil { // else it stays as it is, which is the same to whoever presents and checks
			err = d.stick(ctx, name, environment, how)
		}
		return cmp.Or(err, errNotGiven)
	}
	d.moved[name] = true
	if d.cluster && how == "" {
		d.hooks.Mounted(name, []string{p.identifier()})
	}
	err = d.redeploy(ctx, name, environment)
	if how == world.RolloutEarly {
		return cmp.Or(err, errNotGiven)
	}
	return err
}

// environmentOf are the variables that a consumer is started anew with. d.mu is held.
func (d *Delivery) environmentOf(name string, p published) (map[string]string, error) {
	if own, ok := d.own[name]; ok {
		return d.environment(own, p)
	}
	return map[string]string{contract.SecretVariable: string(p.encoded)}, nil
}
