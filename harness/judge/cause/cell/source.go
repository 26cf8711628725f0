package cell

import (
	"cmp"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// Nearest is where the validator fetches: the gateway or cache before it, or the emitter.
func (c *Cell) Nearest() string {
	if c.Validator.Via != "" {
		return c.Validator.Via
	}
	return c.Validator.From
}

// HadIt reports whether a validator refused an accepted credential that it had: the new one after it had
// learned it, or the old one before its revoke.
func (c *Cell) HadIt() bool {
	if c.IsFresh() {
		return c.LearnedBefore()
	}
	return c.BeforeRevoke(c.Sum)
}

// FaultAtTheSource is the fault in effect at the validator's source of keys when the cell began to
// suffer; "" where there was none.
func (c *Cell) FaultAtTheSource() string {
	if faults := c.Near(c.First-evidence.Nearly, c.First+evidence.Nearly, c.Validator.From, c.Validator.Via); len(faults) > 0 {
		return faults[0].Kind
	}
	return ""
}

// silencing are the faults under which a party answers nothing.
var silencing = append([]string{"partition", "cut", "jwks"}, evidence.Stopping...)

// CutFromSource is a fault that left evidence and was in effect between two moments on the validator's
// way to its keys, or at their source.
func (c *Cell) CutFromSource(from, to history.Offset) (judge.FaultReport, bool) {
	v := c.Validator
	for _, r := range c.Near(from, to, v.Name, v.From, v.Via) { // for readers also at the store
		if !slices.Contains(silencing, r.Kind) {
			continue
		}
		if r.From == v.Name || r.From == "" && (r.Target == v.From || v.Via != "" && r.Target == v.Via) {
			return r, true
		}
	}
	return judge.FaultReport{}, false
}

// InVain is the first party that a validator asked for the set in vain between two moments, how that
// was answered, and when: by the validator's own log, or else by that of the party asked. how is empty
// where it did not.
func (c *Cell) InVain(from, to history.Offset) (whom, how string, at history.Offset) {
	for _, event := range c.Events {
		switch {
		case event.At < from || event.At > to:
		case event.Kind == history.KindFetchFailed && event.Service == c.Validator.Name:
			return event.From, event.Detail, event.At
		case event.Kind == history.KindRead && event.What == evidence.KeySet && event.Reader == c.Validator.Name && event.Detail != "":
			return event.Service, event.Detail, event.At
		}
	}
	return "", "", 0
}

// Through is the pooler that presents for the called service; "" where that presents itself.
func (c *Cell) Through() string {
	client, _ := c.Limits.Client(c.Presenter)
	if client.To == c.Validator.Name {
		return client.Through
	}
	return ""
}

// Behind is the authority at which the called service itself fared badly meanwhile, by a count of its
// presentations there.
func (c *Cell) Behind(badly func(history.Counts) int64) (authority string, ok bool) {
	service := c.PresenterBehind()
	for _, key := range c.View.Keys() { // also what cannot be attributed to a credential, such as a wrong signature
		if key.Source == c.Limits.JudgedAt && key.Presenter == service && key.Validator != service &&
			badly(c.View.Sum(key, c.First-evidence.Nearly, c.Last+evidence.Nearly)) > 0 {
			return key.Validator, true
		}
	}
	return "", false
}

// PresenterBehind is who presents to the authority for what the client calls: the service itself, or
// the pooler in front of it.
func (c *Cell) PresenterBehind() string {
	return cmp.Or(c.Through(), c.Validator.Name)
}
