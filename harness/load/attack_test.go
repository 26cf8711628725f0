package load

import (
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// counter is a wire's upper end that only counts; each request takes a time.
type counter struct {
	requests atomic.Int64
	takes    time.Duration
}

func (c *counter) RoundTrip(*http.Request) (*http.Response, error) {
	c.requests.Add(1)
	time.Sleep(c.takes) // of the bubble's time
	return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
}

func TestAttackKeepsItsRate(t *testing.T) {
	for _, test := range []struct {
		name  string
		rate  float64
		takes time.Duration // a request
		after time.Duration
		want  int64
	}{
		{"first at once", 0.01, 0, time.Millisecond, 1},
		{"one in 100 s", 0.01, 0, 250 * time.Second, 3},
		{"many a second", 200, 0, 10*time.Second + time.Millisecond, 2001},
		{"slow answers do not slow it", 50, 2 * time.Second, 10*time.Second + time.Millisecond, 501},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				config := ClientConfig{Name: "web", To: "checkout", URL: "http://checkout.test", Rate: test.rate}
				config.fill()
				wire := &counter{takes: test.takes}
				attack := startAttack(&config, wire)
				time.Sleep(test.after)
				synctest.Wait()
				if got := wire.requests.Load(); got != test.want {
					t.Errorf("got %d requests after %v; want %d", got, test.after, test.want)
				}
				begun := time.Now()
				attack.stop()
				attack.stop() // again is no harm
				<-attack.drained
				if took := time.Since(begun); took > test.takes {
					t.Errorf("stop took %v; want at most the %v of a request, not the pause to the next", took, test.takes)
				}
				if due, begun := attack.pace.counts(); due != wire.requests.Load() || begun != due {
					t.Errorf("due were %d, begun %d, sent %d; want all the same", due, begun, wire.requests.Load())
				}
			})
		})
	}
}

func TestWorkersAreEnough(t *testing.T) {
	for _, test := range []struct {
		rate    float64
		timeout time.Duration
		want    int
	}{
		{0.01, 5 * time.Second, 9},
		{200, 5 * time.Second, 1008},
		{1e6, time.Minute, maxWorkers},
	} {
		c := ClientConfig{Rate: test.rate, Timeout: Duration(test.timeout)}
		if got := c.workers(); got != test.want {
			t.Errorf("%v/s with timeout %v has %d workers; want %d", test.rate, test.timeout, got, test.want)
		}
	}
}
