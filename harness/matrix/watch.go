package matrix

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// look is the time between two looks at an issuer.
const look = 100 * time.Millisecond

// errBound says that a wait ended with its bound.
var errBound = errors.New("not within the time")

// published is a key set as an issuer answers with it.
type published struct {
	kids         []string
	cacheControl string
}

// Watch looks at an issuer from outside: at its key set, and at who signs its tokens.
type Watch struct {
	keys func(context.Context) (published, error)
	kid  func(context.Context) (string, error) // that of a token, made just then

	began       time.Time
	set         published            // of the last look
	first, last map[string]time.Time // when a kid was seen in the set
	signs       string               // the kid of the last token
	signed      map[string]time.Time // when a kid was first seen to sign
	cached      map[string]bool      // each Cache-Control that was seen
}

// NewWatch is of an issuer whose key set and tokens are had so.
func NewWatch(keys func(context.Context) (published, error), kid func(context.Context) (string, error)) *Watch {
	return &Watch{keys: keys, kid: kid, first: map[string]time.Time{}, last: map[string]time.Time{}, signed: map[string]time.Time{}, cached: map[string]bool{}}
}

// inSet reports whether a kid was in the set at the last look.
func (w *Watch) inSet(kid string) bool { return slices.Contains(w.set.kids, kid) }

// until looks until something has been seen; errBound where it was not within the bound.
// An issuer that restarts does not answer for a while.
func (w *Watch) until(ctx context.Context, bound time.Duration, seen func() bool) error {
	end := time.Now().Add(bound)
	for {
		if err := w.look(ctx); err != nil && time.Now().After(end) {
			return fmt.Errorf("%w: %w", errBound, err)
		} else if err == nil && seen() {
			return nil
		}
		if time.Now().After(end) {
			return errBound
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(look):
		}
	}
}

// look asks for the set first, and then for a token.
func (w *Watch) look(ctx context.Context) error {
	set, err := w.keys(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	if w.began.IsZero() {
		w.began = now
	}
	w.set = set
	w.cached[cmp.Or(set.cacheControl, "none")] = true
	for _, kid := range set.kids {
		w.last[kid] = now
		if _, before := w.first[kid]; !before {
			w.first[kid] = now
		}
	}
	if w.signs, err = w.kid(ctx); err != nil {
		return err
	}
	if _, before := w.signed[w.signs]; !before {
		w.signed[w.signs] = time.Now()
	}
	return nil
}

// cacheControl is what the set came with: some issuers say another thing each time.
func (w *Watch) cacheControl() string {
	seen := slices.SortedFunc(maps.Keys(w.cached), func(a, b string) int {
		return cmp.Or(cmp.Compare(maxAge(a), maxAge(b)), cmp.Compare(a, b))
	})
	if len(seen) > 2 {
		return fmt.Sprintf("%s … %s, another at each answer", seen[0], seen[len(seen)-1])
	}
	return strings.Join(seen, ", then ")
}

// fetch asks for the key set at an address.
func fetch(ctx context.Context, url string) (set published, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return set, fmt.Errorf("ask for the key set: %w", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return set, fmt.Errorf("ask for the key set: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return set, fmt.Errorf("ask for the key set: status %d", resp.StatusCode)
	}
	var answer struct{ Keys []struct{ KID string } }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return set, fmt.Errorf("read the key set: %w", err)
	}
	set.cacheControl = resp.Header.Get("Cache-Control")
	for _, key := range answer.Keys {
		set.kids = append(set.kids, key.KID)
	}
	return set, nil
}

// lead is for how long the key that signs now was published before it signed. What was
// there at the first look was published by an earlier rotation.
func (w *Watch) lead(question string) Cell {
	c := Cell{Trial: question, Ended: true}
	published := w.first[w.signs]
	switch lead := w.signed[w.signs].Sub(published); {
	case lead < -2*look-slack:
		c.Text = "no: it signs " + seconds(-lead.Seconds()) + " before it is published"
	case published.Equal(w.began):
		c.Text = "yes: since the rotation before"
	case lead < 2*look+slack:
		c.Text = "no: both at once"
	default:
		c.Seconds = lead.Seconds()
	}
	return c
}

// slack is what it may take to have a token, on a busy machine: a lead that is shorter
// is none that could be told.
const slack = 300 * time.Millisecond
