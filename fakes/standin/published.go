package standin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// retryFirst is the pause between reads until the first one succeeds.
const retryFirst = 100 * time.Millisecond

// CheckPublished says what is wrong with how a consumer is to get its secret.
func CheckPublished(c contract.Published) error {
	ways := 0
	for _, given := range []bool{c.Store != nil, c.File != "", c.Variable != ""} {
		if given {
			ways++
		}
	}
	switch {
	case ways != 1:
		return fmt.Errorf("check configuration: store, file and variable: got %d of them, want exactly one", ways)
	case c.Store != nil:
		if err := checkStored(*c.Store); err != nil {
			return err
		}
	}
	if c.Refresh <= 0 && !Once(c) {
		return errors.New("check configuration: refresh must be longer than 0 unless pinned")
	}
	return nil
}

// Once reports whether the first read is the last.
func Once(c contract.Published) bool { return c.Pinned || c.Variable != "" }

// document is a place where the published secret can be read.
type document interface {
	// read returns the document as JSON, as it is now, and a number that changes
	// whenever it does. Errors name the place and never quote what is there.
	read(ctx context.Context) (content []byte, version int, err error)
	// place is where that is, for the log.
	place() string
}

// PublishedSecret reads a published secret as a consumer does.
type PublishedSecret struct {
	from   document
	config contract.Published
	log    *slog.Logger
	ready  *Readiness
	loaded bool    // written by whoever loads: first start, then follow
	spoil  spoiler // likewise
}

// NewPublishedSecret prepares the reading, of a configuration that was checked,
// and does not read yet.
func NewPublishedSecret(c contract.Published, log *slog.Logger, ready *Readiness) (*PublishedSecret, error) {
	p := &PublishedSecret{config: c, log: log, ready: ready}
	switch {
	case c.Store != nil:
		from, err := newStoredDocument(*c.Store)
		if err != nil {
			return nil, err
		}
		p.from = from
	case c.File != "":
		p.from = &fileDocument{path: c.File}
	default:
		p.from = variableDocument(c.Variable)
	}
	ready.Set(errors.New("waiting for the first read of " + p.from.place()))
	return p, nil
}

// Place is where the secret is read, for the log.
func (p *PublishedSecret) Place() string { return p.from.place() }

// Orders are the ways in which the consumer misbehaves now.
func (p *PublishedSecret) Orders() *Disturbances { return &p.spoil.Disturbances }

// Describe says how the secret is read, for the log.
func (p *PublishedSecret) Describe() string {
	if Once(p.config) {
		return fmt.Sprintf("reads its secret once, from %s", p.from.place())
	}
	return fmt.Sprintf("reads its secret every %s from %s", time.Duration(p.config.Refresh), p.from.place())
}

// Handler is what a consumer serves. One that gets its secret by being started
// anew hands over to the next one without dropping a request.
func (p *PublishedSecret) Handler(h http.Handler) http.Handler {
	if p.config.Variable == "" {
		return h
	}
	return &listenerHandover{Handler: h}
}

// Read reads the document as it is now. One that is not of the expected form is
// an error that names the trouble and no value.
func (p *PublishedSecret) Read(ctx context.Context, into any) (version int, err error) {
	content, version := p.spoil.content, p.spoil.version
	if content == nil || p.spoil.Value(contract.OrderHold) == "" {
		if content, version, err = p.from.read(ctx); err != nil {
			return 0, err
		}
	}
	if content, version, err = p.spoil.passed(content, version); err != nil {
		return 0, fmt.Errorf("read %s: %w", p.from.place(), err)
	}
	if err := json.Unmarshal(content, into); err != nil {
		return 0, fmt.Errorf("read %s: parse version %d: %w", p.from.place(), p.spoil.version, err)
	}
	return version, nil
}

// Start loads what a process was started with before it serves anybody: there
// is nothing to wait for, and what is missing then stays missing. Other places
// are left to follow.
func (p *PublishedSecret) Start(ctx context.Context, load func(context.Context) error) error {
	if p.config.Variable == "" {
		return nil
	}
	if err := load(ctx); err != nil {
		return err
	}
	p.loaded = true
	p.ready.Set(nil)
	return nil
}

// Follow calls load now, soon again until it succeeds for the first time, and
// then at every refresh until ctx ends. A failure keeps what was loaded; it is
// logged when it differs from the failure before.
func (p *PublishedSecret) Follow(ctx context.Context, load func(context.Context) error) error {
	if p.loaded {
		return nil // by start, and never again
	}
	ticker := time.NewTicker(retryFirst)
	defer ticker.Stop()
	volume := newVolume(p.config.File)
	looks := time.NewTicker(lookEvery)
	defer looks.Stop()
	last := ""
	for {
		err := load(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			last = ""
			if !p.loaded {
				p.loaded = true
				p.ready.Set(nil)
				if Once(p.config) {
					return nil
				}
				ticker.Reset(time.Duration(p.config.Refresh))
			}
		case err.Error() != last:
			last = err.Error()
			p.log.Warn(string(history.KindFetchFailed), "detail", last, "from", p.from.place())
			if !p.loaded {
				p.ready.Set(err)
			}
		}
		for due := false; !due; {
			select {
			case <-ctx.Done():
				return nil
			case <-ticker.C:
				due = true
			case <-looks.C:
				if brought := volume.news(); len(brought) > 0 {
					p.log.Info(string(history.KindPod), "what", history.PodSaw, "identifiers", brought)
				}
			}
		}
	}
}
