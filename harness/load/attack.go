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
	firstWorkers = 8
	maxWorkers   = 10_000
)

func (c *ClientConfig) workers() int {
	if c.unlimited {
		return firstWorkers
	}
	enough := math.Ceil(max(c.Rate, c.Most) * c.part.fraction() * time.Duration(c.Timeout).Seconds())
	return int(math.Min(enough+firstWorkers, maxWorkers))
}

// pacer has vegeta follow a schedule. It differs from vegeta's constant pacer in that
// the first hit is due at once, rates may be below one a second and change, and a wait
// ends when the attack is stopped.
type pacer struct {
	schedule  *schedule
	unlimited bool
}

var _ vegeta.Pacer = pacer{}

// Pace waits until the next hit is due. It waits itself, because vegeta's own
// wait cannot be interrupted.
func (p pacer) Pace(_ time.Duration, hits uint64) (time.Duration, bool) {
	if p.unlimited {
		select {
		case <-p.schedule.stopped:
			return 0, true
		default:
			return 0, false
		}
	}
	return 0, p.schedule.await(hits)
}

// Rate is the rate in hits per second; 0 means no limit.
func (p pacer) Rate(time.Duration) float64 {
	if p.unlimited {
		return 0
	}
	_, rate := p.schedule.count()
	return rate
}

// attack is one client's requests under way.
type attack struct {
	pace     *pace
	stopOnce sync.Once
	attacker *vegeta.Attacker
	drained  chan struct{} // closed when the last request has been decided
}

// startAttack begins to send a client's requests through rt.
func startAttack(c *ClientConfig, rt http.RoundTripper) *attack {
	workers := uint64(c.workers())
	a := &attack{
		pace:    newPace(c),
		drained: make(chan struct{}),
	}
	a.attacker = vegeta.NewAttacker(
		vegeta.Client(&http.Client{Transport: rt, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}}),
		vegeta.Workers(min(firstWorkers, workers)), vegeta.MaxWorkers(workers),
	)
	body, _ := c.Protocol.Body(c.Body) // its error was one of the configuration
	target := vegeta.Target{Method: c.Method, URL: c.target(), Body: body}
	// An error of a targeter would end the attack: this one has none.
	targeter := func(t *vegeta.Target) error {
		a.pace.begun.Add(1)
		*t = target
		return nil
	}
	results := a.attacker.Attack(targeter, pacer{a.pace.schedule, c.unlimited}, 0, "")
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
		a.pace.schedule.end()
		a.attacker.Stop()
	})
}
