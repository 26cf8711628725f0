package webhook

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// maxWaiting bounds how many deliveries wait to be tried again.
const maxWaiting = 10_000

// retryQueue tries deliveries again that failed, until they succeed or its span
// is over. Each waits in a goroutine of its own, which end waits for.
type retryQueue struct {
	span    time.Duration
	attempt func(ctx context.Context, d *delivery) (done bool)
	log     *slog.Logger

	ctx    context.Context // attempts end with it
	ending chan struct{}

	mu      sync.Mutex
	ended   bool
	waiting int
	tasks   sync.WaitGroup
}

func newRetryQueue(ctx context.Context, span time.Duration, attempt func(context.Context, *delivery) bool, log *slog.Logger) *retryQueue {
	return &retryQueue{span: span, attempt: attempt, log: log, ctx: ctx, ending: make(chan struct{})}
}

// backoff is when a delivery is tried again, counted from its first attempt:
// the waits double, and the last one ends with the span.
func backoff(span time.Duration) []time.Duration {
	if span <= 0 {
		return nil
	}
	return []time.Duration{span / 8, span / 4, span / 2, span}
}

// add takes a delivery that failed, and says what became of it.
func (q *retryQueue) add(d *delivery) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ended || q.span <= 0 || q.waiting >= maxWaiting {
		q.log.Warn("given up", "identifier", d.tag, "validator", d.endpoint, "attempt", d.attempts)
		return "given up"
	}
	q.waiting++
	q.tasks.Go(func() {
		q.retry(d)
		q.mu.Lock()
		defer q.mu.Unlock()
		q.waiting--
	})
	return "queued"
}

func (q *retryQueue) retry(d *delivery) {
	for _, after := range backoff(q.span) {
		timer := time.NewTimer(time.Until(d.made.Add(after)))
		select {
		case <-timer.C:
		case <-q.ending:
			timer.Stop()
			return
		case <-q.ctx.Done():
			timer.Stop()
			return
		}
		if q.attempt(q.ctx, d) {
			return
		}
	}
	q.log.Warn("given up", "identifier", d.tag, "validator", d.endpoint, "attempt", d.attempts)
}

// end drops what waits, and returns when nothing is on its way any more: then
// what the sender has counted stays as it is.
func (q *retryQueue) end() {
	q.mu.Lock()
	if !q.ended {
		q.ended = true
		close(q.ending)
	}
	q.mu.Unlock()
	q.tasks.Wait()
}
