package rotation

import (
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// inUse says who uses the new credential as far as that was seen, and of whom on
// the page it was not.
func (r *rotation) inUse() string {
	unseen := r.unseenWith(New)
	if len(unseen) == 0 {
		return fmt.Sprintf("every emitter uses %s", New)
	}
	return fmt.Sprintf("nobody was seen using %s, and of %s it was not seen what it uses", Old, strings.Join(unseen, ", "))
}

// unseenWith are the emitters on the page of which nothing was seen that tells
// that they use a credential: neither what they say or what was looked at, nor a
// presentation of it.
func (r *rotation) unseenWith(credential string) (names []string) {
	r.see(func(v *history.View) {
		used := map[string]bool{}
		for _, key := range v.Keys() {
			if key.Source == r.limits.Hop && key.Credential == credential {
				used[r.emitterOf(key.Presenter)] = true
			}
		}
		for _, e := range r.limits.Emitters {
			if e.OnPage && v.Emitting[e.Name] != credential && !used[e.Name] {
				names = append(names, e.Name)
			}
		}
	})
	return names
}

// emitterOf is where what a presenter presents comes from: the emitter of a
// client's tokens, or the presenter itself.
func (r *rotation) emitterOf(presenter string) string {
	if c, there := r.limits.Client(presenter); there && c.From != "" {
		return c.From
	}
	return presenter
}
