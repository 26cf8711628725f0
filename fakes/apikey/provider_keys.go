package apikey

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// providerKey is one API key of an account. Its value is kept as a digest only.
type providerKey struct {
	Tag      string    `json:"tag"`
	Enabled  bool      `json:"enabled"`
	Accepted int64     `json:"accepted"`
	Refused  int64     `json:"refused"`
	LastUsed time.Time `json:"last_used,omitzero"` // presented, accepted or not
	// TakenUntil is when a key ceases to be accepted that was disabled.
	TakenUntil time.Time `json:"taken_until,omitzero"`
	// PutOff says that a disabled key is accepted for nobody knows how long.
	PutOff bool `json:"put_off,omitempty"`
	digest [sha256.Size]byte
	untold bool // that it is refused now
}

// taken says whether a key is accepted now.
func (k *providerKey) taken(now time.Time) bool {
	return k.Enabled || k.PutOff || now.Before(k.TakenUntil)
}

// providerKeys are the live keys of an account: all that were not deleted. A
// disabled one takes a slot too, as an inactive access key does at AWS IAM.
type providerKeys struct {
	limit int
	lag   time.Duration // from disabling a key until it is refused
	now   func() time.Time

	mu    sync.Mutex
	keys  []*providerKey
	later bool // who is disabled now is refused when that is over
}

// errNoSlot says that an account has as many keys as it can.
var errNoSlot = errors.New("no slot is free, delete a key first")

func newProviderKeys(limit int, lag time.Duration, now func() time.Time) *providerKeys {
	return &providerKeys{limit: limit, lag: lag, now: now}
}

func (p *providerKeys) find(tag string) *providerKey {
	for _, key := range p.keys {
		if key.Tag == tag {
			return key
		}
	}
	return nil
}

// create adds an enabled key. It reports false for one that is there with the
// same value; another value under the tag, or no free slot, is an error.
func (p *providerKeys) create(tag, value string) (created bool, err error) {
	digest := sha256.Sum256([]byte(value))
	p.mu.Lock()
	defer p.mu.Unlock()
	if key := p.find(tag); key != nil {
		if subtle.ConstantTimeCompare(key.digest[:], digest[:]) != 1 {
			return false, fmt.Errorf("create key %s: it is there with another value", tag)
		}
		return false, nil
	}
	if len(p.keys) >= p.limit {
		return false, fmt.Errorf("create key %s: %d of %d keys are live: %w", tag, len(p.keys), p.limit, errNoSlot)
	}
	p.keys = append(p.keys, &providerKey{Tag: tag, Enabled: true, digest: digest})
	return true, nil
}

// checked is what was found of a presented key.
type checked struct {
	tag      string // "" where no live key has the value
	accepted bool
	// ceased says that it is refused for the first time since it was disabled.
	ceased bool
}

// check finds the key that has a value, counts the use and says whether it is
// accepted: of a locked account none is.
func (p *providerKeys) check(value string, locked bool) checked {
	digest := sha256.Sum256([]byte(value))
	p.mu.Lock()
	defer p.mu.Unlock()
	var found *providerKey
	for _, key := range p.keys { // all of them: the time tells nothing
		if subtle.ConstantTimeCompare(key.digest[:], digest[:]) == 1 {
			found = key
		}
	}
	if found == nil {
		return checked{}
	}
	now := p.now().UTC()
	found.LastUsed = now
	if !locked && found.taken(now) {
		found.Accepted++
		return checked{tag: found.Tag, accepted: true}
	}
	found.Refused++
	if locked {
		return checked{tag: found.Tag}
	}
	ceased := found.untold
	found.untold = false
	return checked{tag: found.Tag, ceased: ceased}
}

// setEnabled enables a key, or disables it: with a lag it goes on being accepted
// for that long. Changed is whether that changed what is accepted now.
func (p *providerKeys) setEnabled(tag string, enabled bool) (found, changed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := p.find(tag)
	if key == nil {
		return false, false
	}
	if key.Enabled == enabled {
		return true, false
	}
	key.Enabled, key.TakenUntil, key.PutOff, key.untold = enabled, time.Time{}, false, false
	if !enabled && p.lag > 0 {
		key.TakenUntil = p.now().UTC().Add(p.lag)
	}
	key.PutOff = !enabled && p.later
	key.untold = key.PutOff || !key.TakenUntil.IsZero()
	return true, !key.untold
}

// putOff has the keys that are disabled from now on accepted until that is over.
func (p *providerKeys) putOff(later bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.later = later
	for _, key := range p.keys {
		key.PutOff = key.PutOff && later
	}
}

// remove deletes a key; changed says whether it was accepted until now.
func (p *providerKeys) remove(tag string) (found, changed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := p.find(tag)
	if key == nil {
		return false, false
	}
	p.keys = slices.DeleteFunc(p.keys, func(k *providerKey) bool { return k == key })
	return true, key.taken(p.now())
}

// list is a copy, sorted by tag.
func (p *providerKeys) list() []providerKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	keys := make([]providerKey, 0, len(p.keys))
	for _, key := range p.keys {
		keys = append(keys, *key)
	}
	slices.SortFunc(keys, func(a, b providerKey) int { return cmp.Compare(a.Tag, b.Tag) })
	return keys
}
