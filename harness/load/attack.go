package load

import (
	"math"
	"net/http"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// Workers of an attack. One request occupies a worker at most for the client's
// timeout, so that rate × timeout of them are always enough to keep the rate;
// beyond maxWorkers the pace falls behind instead.
const (
	firstWorkers     = 8
	maxWorkers       = 10_000
	unlimitedWorkers = 8
)

func (c *ClientConfig) workers() int {
	if c.unlimited {
		return unlimitedWorkers
	}
	enough := math.Ceil(c.Rate * time.Duration(c.Timeout).Seconds())
	return int(math.Min(enough+firstWorkers, maxWorkers))
}

// pacer is vegeta's constant pacer with three differences: the first hit is
// due at once, rates may be below one a second, and a wait ends when the
// attack is stopped.
type pacer struct {
	interval float64 // nanoseconds between hits; 0: no waiting
	stopped  <-chan struct{}
}

var _ vegeta.Pacer = pacer{}

func newPacer(c *ClientConfig, stopped <-chan struct{}) pacer {
	if c.unlimited {
		return pacer{stopped: stopped}
	}
	return pacer{interval: float64(time.Second) / c.Rate, stopped: stopped}
}

// Pace waits until the next hit is due. It waits itself, because vegeta's own
// wait cannot be interrupted.
func (p pacer) Pace(elapsed time.Duration, hits uint64) (time.Duration, bool) {
	wait := time.Duration(float64(hits)*p.interval) - elapsed
	if wait <= 0 {
		select {
		case <-p.stopped:
			return 0, true
		default:
			return 0, false
		}
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return 0, false
	case <-p.stopped:
		return 0, true
	}
}

// Rate is the rate in hits per second; 0 means no limit.
func (p pacer) Rate(time.Duration) float64 {
	if p.interval == 0 {
		return 0
	}
	return float64(time.Second) / p.interval
}

// attack is one client's requests under way.
type attack struct {
	pace     *pace
	stopOnce sync.Once
	stopped  chan struct{}
	attacker *vegeta.Attacker
	drained  chan struct{} // closed when the last request has been decided
}

// startAttack begins to send a client's requests through rt.
func startAttack(c *ClientConfig, rt http.RoundTripper) *attack {
	workers := uint64(c.workers())
	a := &attack{
		pace:    newPace(c),
		stopped: make(chan struct{}),
		drained: make(chan struct{}),
	}
	a.attacker = vegeta.NewAttacker(
		vegeta.Client(&http.Client{Transport: rt, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}}),
		vegeta.Workers(min(firstWorkers, workers)), vegeta.MaxWorkers(workers),
	)
	target := vegeta.Target{Method: c.Method, URL: c.target(), Body: []byte(c.Body)}
	// An error of a targeter would end the attack: this one has none.
	targeter := func(t *vegeta.Target) error {
		a.pace.begun.Add(1)
		*t = target
		return nil
	}
	results := a.attacker.Attack(targeter, newPacer(c, a.stopped), 0, "")
	go func() {
		defer close(a.drained)
		for range results { // all that matters was counted in the transport
			a.pace.decided.Add(1)
		}
	}()
	return a
}

// stop ends the pacing. Requests that were sent are still decided.
func (a *attack) stop() {
	a.stopOnce.Do(func() {
		a.pace.end()
		close(a.stopped)
		a.attacker.Stop()
	})
}
