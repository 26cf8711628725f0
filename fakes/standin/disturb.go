package standin

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/rehearse-dev/rehearse/harness/contract"
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
		mux.Handle("GET "+contract.DisturbPath, contract.RequireToken(token, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			WriteJSON(w, http.StatusOK, tell())
		})))
	}
	mux.Handle("POST "+contract.DisturbPath, contract.RequireToken(token, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var order contract.Order
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
	mux.Handle("DELETE "+contract.DisturbPath, contract.RequireToken(token, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
