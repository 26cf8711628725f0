package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// LeaseLife is for how long a Lease holds that is not renewed, as client-go's
// leader election has it (v0.37: 15 s, renewed well before).
const LeaseLife = 15 * time.Second

// ErrHeld is in the chain of Hold's error where somebody else holds the Lease.
var ErrHeld = errors.New("somebody else holds it")

// Lease is one that this process holds, and renews until Release.
type Lease struct {
	client *Client
	end    context.CancelFunc
	done   sync.WaitGroup

	mu   sync.Mutex
	is   coordinationv1.Lease
	lost error
}

// Hold takes a Lease, with labels by which it is found, or takes over one whose
// holder is dead. Of one that is held the error has ErrHeld, and by whom.
func (c *Client) Hold(ctx context.Context, name, holder string, labels map[string]string) (*Lease, error) {
	now := metav1.NowMicro()
	life := int32(LeaseLife / time.Second)
	l := &Lease{client: c}
	l.is = coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &life, AcquireTime: &now, RenewTime: &now},
	}
	err := c.Create(ctx, &l.is)
	if apierrors.IsAlreadyExists(err) {
		var other coordinationv1.Lease
		alive, err := c.alive(ctx, name, &other)
		if err != nil {
			return nil, err
		}
		if alive {
			return nil, fmt.Errorf("hold the Lease %s: %w: %s, since %s", name, ErrHeld, holderOf(&other), other.Spec.AcquireTime.UTC().Format(time.RFC3339))
		}
		now := metav1.NowMicro()
		other.Spec, other.Labels = l.is.Spec, labels
		other.Spec.AcquireTime, other.Spec.RenewTime = &now, &now
		l.is = other
		if err := c.Update(ctx, &l.is); apierrors.IsConflict(err) {
			return nil, fmt.Errorf("hold the Lease %s: %w: it was taken a moment ago", name, ErrHeld)
		} else if err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	renewing, end := context.WithCancel(context.WithoutCancel(ctx))
	l.end = end
	l.done.Go(func() { l.renew(renewing) })
	return l, nil
}

// renew renews the Lease until ctx ends. One that could not be renewed in its life
// is lost; one that somebody else wrote is, too.
func (l *Lease) renew(ctx context.Context) {
	last := time.Now()
	for wait(ctx, LeaseLife/5) {
		asking, cancel := context.WithTimeout(ctx, LeaseLife/3)
		now := metav1.NowMicro()
		l.mu.Lock()
		next := *l.is.DeepCopy()
		l.mu.Unlock()
		next.Spec.RenewTime = &now
		err := l.client.Update(asking, &next)
		cancel()
		l.mu.Lock()
		switch {
		case err == nil:
			l.is, last = next, time.Now()
		case ctx.Err() != nil:
		case apierrors.IsConflict(err), apierrors.IsNotFound(err), time.Since(last) > LeaseLife:
			l.lost = fmt.Errorf("the Lease %s was lost: %w", next.Name, err)
		}
		lost := l.lost
		l.mu.Unlock()
		if lost != nil {
			return
		}
	}
}

// Lost says why the Lease is not held any more; nil: it is.
func (l *Lease) Lost() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

// Release lets go of the Lease, and deletes it. One that was lost is somebody
// else's, and stays.
func (l *Lease) Release(ctx context.Context) error {
	l.end()
	l.done.Wait()
	if l.Lost() != nil {
		return nil
	}
	return l.client.Delete(ctx, &l.is)
}

// Alive reports whether the holder of a Lease lives; one that is not there has
// none. Where it seems to have ended by the clock of this machine, which may not
// be that of its holder, it is waited for whether it is renewed.
func (c *Client) Alive(ctx context.Context, name string) (bool, error) {
	return c.alive(ctx, name, &coordinationv1.Lease{})
}

func (c *Client) alive(ctx context.Context, name string, is *coordinationv1.Lease) (bool, error) {
	version := ""
	for range 2 {
		if err := c.Get(ctx, name, is); apierrors.IsNotFound(err) {
			return false, nil
		} else if err != nil {
			return false, err
		}
		if version != "" {
			return is.ResourceVersion != version, nil
		}
		if is.Spec.RenewTime == nil || is.Spec.LeaseDurationSeconds == nil {
			return false, nil // nobody has held it
		}
		life := time.Duration(*is.Spec.LeaseDurationSeconds) * time.Second
		if time.Since(is.Spec.RenewTime.Time) < life {
			return true, nil
		}
		version = is.ResourceVersion
		if !wait(ctx, life/2) { // it is renewed more often
			return false, ctx.Err()
		}
	}
	return false, nil
}

func holderOf(l *coordinationv1.Lease) string {
	if l.Spec.HolderIdentity == nil || *l.Spec.HolderIdentity == "" {
		return "nobody says who"
	}
	return *l.Spec.HolderIdentity
}
