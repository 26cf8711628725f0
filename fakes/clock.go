package fakes

import (
	"net/http"
	"time"
)

// ownClock is the clock of a stand-in, which an order can shift.
type ownClock struct{ orders *disturbances }

// aShift checks the value of an order of DisturbClock.
func aShift(value string) error {
	_, err := time.ParseDuration(value)
	return err
}

// shift is how far it is ahead; less than 0: behind.
func (c ownClock) shift() time.Duration {
	ordered := c.orders.value(DisturbClock)
	if ordered == "" {
		return 0
	}
	shift, _ := time.ParseDuration(ordered) // it was checked when it was ordered
	return shift
}

// now is the time that it shows.
func (c ownClock) now() time.Time { return time.Now().Add(c.shift()) }

// dated has every answer say that time (Date, RFC 9110 §6.6.1).
func (c ownClock) dated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", c.now().UTC().Format(http.TimeFormat))
		next.ServeHTTP(w, r)
	})
}
