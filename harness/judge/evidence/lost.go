package evidence

import (
	"github.com/rehearse-dev/rehearse/harness/history"
)

// Lost adds up what a client felt at the service that it calls in [from, until),
// and when it first and last got no answer.
func (e *Evidence) Lost(client, to string, from, until history.Offset) (sum history.Counts, first, last history.Offset) {
	for _, key := range e.View.Keys() {
		if key.Source != history.FromLoad || key.Presenter != client || key.Validator != to {
			continue
		}
		c := e.View.Sum(key, from, until)
		sum.Add(&c)
		for _, b := range e.View.Buckets(key, from, until) {
			if b.Unavailable == 0 {
				continue
			}
			if first == 0 || b.At < first {
				first = b.At
			}
			last = max(last, b.At+b.Width)
		}
	}
	return sum, first, last
}
