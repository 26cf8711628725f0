package rotation

import (
	"fmt"
	"strings"
)

// inUse says which emitters use the new credential, as far as that was seen, and for which on the page
// it was not.
func (l Look) inUse() string {
	unseen := l.unseenWith(New)
	if len(unseen) == 0 {
		return fmt.Sprintf("every emitter uses %s", New)
	}
	return fmt.Sprintf("nobody was seen using %s, and what %s uses was not seen", Old, strings.Join(unseen, ", "))
}

// unseenWith are the emitters on the page for which nothing shows that they use a credential: neither
// their logs, nor a look at them, nor a presentation.
func (l Look) unseenWith(credential string) (names []string) {
	used := map[string]bool{}
	for _, key := range l.View.Keys() {
		if key.Source == l.Limits.JudgedAt && key.Credential == credential {
			used[l.emitterOf(key.Presenter)] = true
		}
	}
	for _, e := range l.Limits.Emitters {
		if e.OnPage && l.View.Emitting[e.Name] != credential && !used[e.Name] {
			names = append(names, e.Name)
		}
	}
	return names
}

// emitterOf is the emitter of what a presenter presents: the issuer of a client's tokens, or the
// presenter itself.
func (l Look) emitterOf(presenter string) string {
	if c, ok := l.Limits.Client(presenter); ok && c.From != "" {
		return c.From
	}
	return presenter
}
