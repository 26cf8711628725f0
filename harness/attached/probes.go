package attached

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/rehearse-dev/rehearse/harness/family"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/protocol"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// errNoToken says that there is nothing to present.
var errNoToken = errors.New("no unexpired token of it is to be had")

// Hold keeps a token with a long life, where one can still be had; else the one from before the emit
// stays. Present reports that there is none: a rotation does not end for that.
func (s *System) Hold(ctx context.Context, credential string, life time.Duration) error {
	if !s.byTokens() {
		s.holdSessions(ctx, credential)
		s.lookAtOthers(ctx, credential)
		return ctx.Err()
	}
	if t, err := s.tokens.get(ctx, credential, life); err == nil {
		s.put(credential, t)
	}
	return ctx.Err()
}

// hold keeps a token of the credential in use that outlives its revoke, if the
// endpoint gives such tokens.
func (s *System) hold(ctx context.Context, credential string) {
	if !s.byTokens() {
		s.holdSessions(ctx, credential)
		return
	}
	if t, err := s.tokens.get(ctx, credential, outlive(s.plan)); err == nil {
		s.put(credential, t)
	}
}

func (s *System) put(credential string, t token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[credential] = t
}

// Present shows a validator a token: the kept one while it is valid, else one fetched for the purpose.
func (s *System) Present(ctx context.Context, validator, credential string, purpose history.Purpose) (history.Probe, error) {
	to, ok := s.endpoints[validator]
	if !ok {
		return history.Probe{}, fmt.Errorf("present %s to %s: it has no address", credential, validator)
	}
	if !s.byTokens() {
		probe, err := s.show(ctx, validator, credential, purpose)
		if err != nil {
			return history.Probe{}, fmt.Errorf("present %s to %s: %w", credential, validator, err)
		}
		probe.Purpose = purpose
		return probe, nil
	}
	s.mu.Lock()
	t, kept := s.held[credential]
	s.mu.Unlock()
	how := "unexpired token of the team's endpoint, made before"
	if !kept || !t.expiry.IsZero() && !time.Now().Before(t.expiry) {
		if purpose == history.OldAfter {
			err := errNoToken
			if kept {
				err = fmt.Errorf("%w: the token kept for it expired at %s UTC, and the endpoint gives none that live longer", errNoToken, t.expiry.UTC().Format(time.TimeOnly))
			}
			return history.Probe{}, fmt.Errorf("present %s to %s: %w", credential, validator, err)
		}
		var err error
		if t, err = s.tokens.get(ctx, credential, DefaultTimeout); err != nil {
			return history.Probe{}, fmt.Errorf("present %s to %s: %w", credential, validator, err)
		}
		how = "token of the team's endpoint, made for this probe"
	}
	if purpose.Invented() {
		t.raw, how = family.Spoilt(t.raw), "token whose signature is spoilt"
	}
	r := request(s.plan, validator)
	header := http.Header{}
	for name, value := range r.Headers {
		header.Set(name, value)
	}
	header.Set("Authorization", "Bearer "+t.raw)
	at, replica := asked(to)
	probe, err := family.Request{
		Method: r.Method, URL: at + r.Path, Header: header, Body: r.Body, Protocol: protocol.Protocol(r.Protocol), Signs: family.Signs(s.plan, validator),
	}.Ask(ctx)
	if err != nil {
		return history.Probe{}, fmt.Errorf("present %s to %s: %w", credential, validator, err)
	}
	probe.Purpose, probe.Presentation, probe.Replica = purpose, how, cmp.Or(replica, probe.Replica)
	return probe, nil
}

// asked is where the next probe of a service goes: to its URL, or to the next replica.
func asked(e world.Endpoint) (url, replica string) {
	if e.Replica == nil {
		return e.URL, ""
	}
	return e.Replica()
}
