package rotation

import (
	"fmt"
	"time"

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

// emittersOn is Look.emittersOn of the present moment.
func (r *rotation) emittersOn(credential string, onPage bool) (names []string) {
	r.glance(func(v *history.View) { names = r.lookAt(v).emittersOn(credential, onPage) })
	return names
}

// emit holds when each emitter on the page was seen using the new credential.
func (l Look) emit() (string, []refusal) {
	var refusals []refusal
	for _, name := range l.emittersOn(Old, true) {
		if l.idle(name) {
			continue
		}
		refusals = append(refusals, refusal{consumer: name, why: fmt.Sprintf("%s, %s after the emit of %s", l.stillUses(name), plan.Text(l.since(string(keyring.Emit), New)), New)})
	}
	return l.inUse(), refusals
}

// idle reports whether an external emitter that presents the secret itself presented nothing since the
// emit, as a pool whose connections are still young: that it was last seen with the old credential says
// nothing then.
func (l Look) idle(emitter string) bool {
	emitted, done := l.View.Steps[string(keyring.Emit)][New]
	ever, meanwhile := l.View.Presented(l.Limits.JudgedAt, emitter, emitted, l.View.Now+history.Offset(time.Second))
	return l.Limits.Attached() && done && ever && !meanwhile
}

// stillUses tells of an emitter that was last seen with the old credential. It may have been seen with
// neither since, where nobody records what it presents.
func (l Look) stillUses(emitter string) string {
	emitted, done := l.View.Steps[string(keyring.Emit)][New]
	last, presents := l.View.LastTaken(l.Limits.JudgedAt, emitter, Old, l.Now)
	if done && presents && last < emitted+history.Offset(time.Second) && l.Limits.Attached() {
		return fmt.Sprintf("%s was last seen with %s before the emit, and has not been seen with %s", emitter, Old, New)
	}
	return fmt.Sprintf("%s still uses %s", emitter, Old)
}
