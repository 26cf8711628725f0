package standin

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// DisturbPath is where a stand-in takes orders to misbehave, from whoever has
// the token in its configuration: POST with {"kind": …, "value": …} begins, DELETE
// with ?kind= ends. One without such a token has no such path.
const DisturbPath = "/rehearse/disturb"

// The ways in which stand-ins misbehave.
const (
	// DisturbJWKS makes an issuer answer for its key set with: a status (429, 500,
	// 503), "503-empty" (with an empty set in the body), "empty", "garbage".
	DisturbJWKS = "jwks"
	// DisturbClock puts a clock ahead by a duration, or behind by a negative one:
	// that of an issuer, a verifier or a receiver.
	DisturbClock = "clock"
	// DisturbKid makes an issuer leave the kid out of its tokens ("none"), or keep
	// the one that it had for every new key ("same").
	DisturbKid = "kid"
	// DisturbHold makes a consumer keep what it has: it reads nothing new.
	DisturbHold = "hold"
	// DisturbValue spoils the values that a consumer did not have yet: "newline",
	// "truncated", "foreign".
	DisturbValue = "value"
	// DisturbKeep switches a shared cache on: the value is how long it keeps an answer.
	DisturbKeep = "keep"
	// DisturbRevoke makes a provider go on accepting the keys that are disabled
	// while it lasts ("late").
	DisturbRevoke = "revoke"
)

// Disturbances are the ways in which a stand-in misbehaves now. Its zero value
// is none, and is safe for concurrent use.
type Disturbances struct {
	// changed is told of what was ordered, and of "" when that ends; nil: nobody is.
	changed func(kind, value string)

	mu     sync.Mutex
	active map[string]string
}

// NewDisturbances is none yet; changed is told of what is ordered, and of ""
// when that ends.
func NewDisturbances(changed func(kind, value string)) *Disturbances {
	return &Disturbances{changed: changed}
}

// Value is what was ordered of a kind; "" where nothing is.
func (d *Disturbances) Value(kind string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.active[kind]
}

func (d *Disturbances) set(kind, value string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.changed != nil {
		d.changed(kind, value)
	}
	if d.active == nil {
		d.active = map[string]string{}
	}
	if value == "" {
		delete(d.active, kind)
		return
	}
	d.active[kind] = value
}

// Serve takes orders of these kinds on a mux, each with what checks its value,
// and tells at GET what tell says; nil: nothing. Without a token it takes none.
func (d *Disturbances) Serve(mux *http.ServeMux, token string, kinds map[string]func(string) error, tell func() any) {
	if token == "" {
		return
	}
	if tell != nil {
		mux.Handle("GET "+DisturbPath, withToken(token, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			WriteJSON(w, http.StatusOK, tell())
		})))
	}
	mux.Handle("POST "+DisturbPath, withToken(token, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var order struct{ Kind, Value string }
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10)).Decode(&order)
		check := kinds[order.Kind]
		switch {
		case err == nil && check == nil:
			err = errors.New("it does not misbehave so: " + order.Kind)
		case err == nil:
			err = check(order.Value)
		}
		if err != nil {
			WriteError(w, http.StatusBadRequest, err.Error())
			return
		}
		d.set(order.Kind, order.Value)
		w.WriteHeader(http.StatusNoContent)
	})))
	mux.Handle("DELETE "+DisturbPath, withToken(token, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.set(r.URL.Query().Get("kind"), "")
		w.WriteHeader(http.StatusNoContent)
	})))
}

// OneOf checks that an order's value is one of some.
func OneOf(values ...string) func(string) error {
	return func(value string) error {
		if slices.Contains(values, value) {
			return nil
		}
		return errors.New("want one of " + strings.Join(values, ", "))
	}
}
