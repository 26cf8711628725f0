package fault

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/certs"
	"github.com/rehearse-dev/rehearse/harness/world"
)

const (
	// asks is how often a target is asked before and during a fault.
	asks = 3
	// glances bounds how often those questions are repeated where some are unanswered.
	glances = 3
	// askEvery is the pause between questions, and askWithin the time for one answer: a loaded service
	// on two cores answers its health check in a few milliseconds.
	askEvery  = 20 * time.Millisecond
	askWithin = 250 * time.Millisecond
)

// measured is how often a target was asked and how often it answered.
type measured struct {
	asked, answered int
	fastest         time.Duration // of the answers
}

// ask reports whether a service answers, within the context.
type ask func(ctx context.Context, service string) bool

// overHTTP asks at the harness's address for a service. Any answer counts, so that services of any make
// can be asked.
func overHTTP(r world.Runtime, passesTLS func(service string) bool) ask {
	client := &http.Client{Transport: certs.Trusting(&http.Transport{DisableKeepAlives: true})}
	return func(ctx context.Context, service string) bool {
		url := r.URL(service, false)
		if passesTLS(service) {
			url = "https" + strings.TrimPrefix(url, "http")
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/healthz", http.NoBody)
		if err != nil {
			return false // it has no address
		}
		req.Header.Set("User-Agent", "rehearse-fault")
		resp, err := client.Do(req)
		if err != nil {
			return false
		}
		_ = resp.Body.Close() // any answer will do
		return true
	}
}

// measure asks a few times within a span (0: no limit), at least once. Questions that the end of the
// context cut off do not count.
func (a ask) measure(ctx context.Context, service string, span time.Duration) measured {
	return a.measureWithin(ctx, service, span, askWithin)
}

// measureWithin is measure with a given time for one answer. A glance before a fault is repeated where
// a busy machine left one question unanswered.
func (a ask) measureWithin(ctx context.Context, service string, span, within time.Duration) measured {
	m := a.round(ctx, service, span, within)
	for range glances - 1 {
		if span != glance || m.answered == m.asked || ctx.Err() != nil {
			break
		}
		m = a.round(ctx, service, span, within)
	}
	return m
}

// round asks a few times.
func (a ask) round(ctx context.Context, service string, span, within time.Duration) measured {
	if span > 0 {
		within = min(within, span)
	}
	var m measured
	begin := time.Now()
	for m.asked < asks {
		askedAt := time.Now()
		hasAnswered := a.once(ctx, service, within)
		took := time.Since(askedAt)
		if ctx.Err() != nil {
			break
		}
		m.asked++
		if hasAnswered {
			m.answered++
			if m.fastest == 0 || took < m.fastest {
				m.fastest = took
			}
		}
		if span > 0 && time.Since(begin)+askEvery+within > span {
			break
		}
		if (world.WallClock{}).Sleep(ctx, askEvery) != nil {
			break
		}
	}
	return m
}

func (a ask) once(ctx context.Context, service string, within time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return a(ctx, service)
}
