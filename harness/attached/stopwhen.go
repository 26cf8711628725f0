package attached

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

const (
	// stopEvery is how often each check of attach.stop_when is asked.
	stopEvery = time.Second
	// stopTimeout bounds one question.
	stopTimeout = 5 * time.Second
	// stopBlind is how long a check may be unreachable before that is recorded: a Prometheus that
	// restarts misses little.
	stopBlind = 5 * time.Second
	// stopWhen names these checks in the history.
	stopWhen = "attach.stop_when"
)

// stopChecks are the checks of attach.stop_when that hold now.
type stopChecks struct {
	mu    sync.Mutex
	holds map[int]metCheck // by their places in the list
}

// metCheck is a check that holds, since a moment.
type metCheck struct {
	since time.Time
	why   string
}

// Guard asks each check of attach.stop_when once, and returns what asks them until ctx ends. It fails
// where a check cannot be asked, or holds before anything was changed: turning back would then tell
// nothing. A check that cannot be asked for a while is recorded: nobody would have turned the rotation
// back.
func (s *System) Guard(ctx context.Context, record func(history.Event)) (follow func(), err error) {
	for _, w := range s.attach.StopWhen {
		switch why, err := s.holds(ctx, w); {
		case err != nil:
			return nil, fmt.Errorf("ask attach.stop_when: %w", err)
		case why != "":
			return nil, fmt.Errorf("attach.stop_when holds before anything is changed: %s", why)
		}
	}
	return func() {
		var all sync.WaitGroup
		for i, w := range s.attach.StopWhen {
			all.Go(func() { s.guard(ctx, i, w, record) })
		}
		all.Wait()
	}, nil
}

// guard asks one check until ctx ends. While the check cannot be asked, its last answer stays, and the
// log of the steps says so once.
func (s *System) guard(ctx context.Context, i int, w scenario.StopWhen, record func(history.Event)) {
	tick := time.NewTicker(stopEvery)
	defer tick.Stop()
	b := undecidedCheck{text: w.Text()}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		why, err := s.holds(ctx, w)
		if ctx.Err() != nil {
			return
		}
		first, event := b.asked(err, time.Now())
		if first {
			s.log("stop_when: cannot be asked: " + err.Error())
		}
		if event != nil {
			record(*event)
		}
		if err != nil {
			continue
		}
		s.stops.said(i, why, time.Now())
	}
}

// undecidedCheck is a check that cannot be asked at present.
type undecidedCheck struct {
	text  string
	since time.Time // zero: it is known
	told  bool
}

// asked takes the result of a question. It returns whether it is the first failure, and the event to
// record where the check became unreachable or reachable again.
func (b *undecidedCheck) asked(err error, now time.Time) (first bool, event *history.Event) {
	switch {
	case err == nil && b.told:
		event = &history.Event{Kind: history.KindUnseen, Service: stopWhen}
	case err != nil && b.since.IsZero():
		first, b.since = true, now
		return first, nil
	case err != nil && !b.told && now.Sub(b.since) >= stopBlind:
		b.told = true
		return false, &history.Event{Kind: history.KindUnseen, Service: stopWhen, Detail: fmt.Sprintf("%s cannot be asked: %s", b.text, err)}
	}
	if err == nil {
		b.since, b.told = time.Time{}, false
	}
	return false, event
}

// said keeps the answer of a check.
func (s *stopChecks) said(i int, why string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, heldBefore := s.holds[i]
	switch {
	case why == "":
		delete(s.holds, i)
	case heldBefore:
		s.holds[i] = metCheck{before.since, why}
	default:
		if s.holds == nil {
			s.holds = map[int]metCheck{}
		}
		s.holds[i] = metCheck{now, why}
	}
}

// Stop is the first check that has held for as long as it must.
func (s *System) Stop() (why string, lasting time.Duration) {
	return s.stops.over(s.attach.StopWhen, time.Now())
}

func (s *stopChecks) over(checks []scenario.StopWhen, now time.Time) (why string, lasting time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, w := range checks {
		h, holds := s.holds[i]
		if lasting = now.Sub(h.since); !holds || lasting < w.For.Duration() {
			continue
		}
		why = "stop_when: " + h.why
		if w.For > 0 {
			why += ", for " + plan.Text(lasting.Round(time.Second))
		}
		return why, lasting
	}
	return "", 0
}

// holds asks a check; "" where it does not hold.
func (s *System) holds(ctx context.Context, w scenario.StopWhen) (why string, err error) {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	if w.Query == "" {
		// The address is shown as in the scenario: it may contain a variable of the environment.
		if _, err := send(ctx, looker, http.MethodGet, s.fill(w.URL, nil), http.Header{}, ""); err != nil {
			return w.URL + " does not answer with success", nil
		}
		return "", nil
	}
	answer, err := s.query(ctx, w.Query)
	if err != nil {
		return "", err
	}
	samples, err := samplesOf(answer)
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, w.Query)
	}
	if len(samples) == 0 {
		return "", nil
	}
	value, err := samples[0].text()
	if err != nil {
		return "", err
	}
	return w.Text() + " has " + value, nil
}
