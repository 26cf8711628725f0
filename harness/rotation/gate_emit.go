package rotation

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// emittersOn lists the emitters that were last seen with a credential.
func (l Look) emittersOn(credential string, onPage bool) []string {
	var names []string
	for _, e := range l.Limits.Emitters {
		if l.View.Emitting[e.Name] == credential && (e.OnPage || !onPage) {
			names = append(names, e.Name)
		}
	}
	return names
}

// emittersOn is that of a look now.
func (r *rotation) emittersOn(credential string, onPage bool) (names []string) {
	r.see(func(v *history.View) { names = r.lookAt(v).emittersOn(credential, onPage) })
	return names
}

// emit holds when each emitter on the page was seen using the new credential.
func (l Look) emit() (string, []refusal) {
	var refusals []refusal
	for _, name := range l.emittersOn(Old, true) {
		refusals = append(refusals, refusal{name, fmt.Sprintf("%s still uses %s, %s after it was told to use %s",
			name, Old, plan.Text(l.since(string(keyring.Emit), New)), New)})
	}
	return l.inUse(), refusals
}
