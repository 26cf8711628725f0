package cell

import (
	"cmp"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

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
