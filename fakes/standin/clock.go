package standin

import (
	"net/http"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// Clock is the clock of a stand-in, which an order can shift.
type Clock struct{ orders *Disturbances }

// NewClock is a clock that follows orders of OrderClock.
func NewClock(orders *Disturbances) Clock { return Clock{orders} }

// CheckShift checks the value of an order of OrderClock.
func CheckShift(value string) error {
	_, err := time.ParseDuration(value)
	return err
}

// Shift is how far it is ahead; less than 0: behind.
func (c Clock) Shift() time.Duration {
	ordered := c.orders.Value(contract.OrderClock)
	if ordered == "" {
		return 0
	}
	shift, _ := time.ParseDuration(ordered) // it was checked when it was ordered
	return shift
}

// Now is the time that it shows.
func (c Clock) Now() time.Time { return time.Now().Add(c.Shift()) }

// Dated has every answer say that time (Date, RFC 9110 §6.6.1).
func (c Clock) Dated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", c.Now().UTC().Format(http.TimeFormat))
		next.ServeHTTP(w, r)
	})
}
