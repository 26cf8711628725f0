package scenario

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// Rotator is a rotator of the team's own, which takes the whole rotation by itself: a
// script, a job, a function that somebody calls. It is started when the baseline is
// over, and what it does is seen from outside.
type Rotator struct {
	// Command is the rotator: it has done all when it has ended with success. HTTP and
	// Vault have one begin that is not seen to end.
	Command     []string          `yaml:"command,omitempty" json:"command,omitempty"`
	Environment map[string]string `yaml:"environment,omitempty" json:"environment,omitempty"` // what the command has beside the environment of rehearse
	HTTP        *Call             `yaml:"http,omitempty" json:"http,omitempty"`
	Vault       *Write            `yaml:"vault,omitempty" json:"vault,omitempty"`
	// Timeout is wall time for all of it, after which a command is ended with all that
	// it has started; default is what lead, window and twice the propagation of the page
	// come to, and a minute.
	Timeout runbook.Duration `yaml:"timeout,omitempty" json:"timeout,omitempty"`
	// New tells the identifier of the new credential once there is one, and before that
	// nothing, or that of the one in use. It is needed where no key set tells.
	New *Act `yaml:"new,omitempty" json:"new,omitempty"`
	// Stop is what stops the rotator, and MayEnd says that its command may be ended with
	// all that it has started, as after its timeout. Without either nothing stops it.
	Stop   *Act `yaml:"stop,omitempty" json:"stop,omitempty"`
	MayEnd bool `yaml:"may_end,omitempty" json:"may_end,omitempty"`
	// Back has the old credential, which its {{ .identifier }} is, accepted and in use
	// again and the new one withdrawn, however far the rotator has come. Without it
	// nothing is taken back.
	Back *Act `yaml:"back,omitempty" json:"back,omitempty"`
}

// Start is what starts the rotator.
func (r *Rotator) Start() Act {
	return Act{Command: r.Command, Environment: r.Environment, HTTP: r.HTTP, Vault: r.Vault, Timeout: r.Timeout}
}

// Stoppable reports whether the team lets a rehearsal stop the rotator.
func (r *Rotator) Stoppable() bool { return r.Stop != nil || r.MayEnd }

// rotatedSteps are the steps that a scenario may say beside a rotator, which then
// leaves them to the rehearsal.
var rotatedSteps = []string{"revoke", "destroy"}

// Rotates reports whether the rotator of the team's own takes a step.
func (a *Attach) Rotates(step string) bool {
	_, said := a.Steps[step]
	return a.Rotator != nil && !(said && slices.Contains(rotatedSteps, step))
}

// rotator holds against itself what a scenario says of a rotator.
func (c check) rotator(a *Attach) {
	const path = "attach.rotator"
	r := a.Rotator
	ways := 0
	for _, is := range []bool{len(r.Command) > 0, r.HTTP != nil, r.Vault != nil} {
		if is {
			ways++
		}
	}
	if ways != 1 {
		c.Report(path, "command: [./rotate.sh], http or vault", "says %d ways to start it, want one", ways)
	} else {
		c.act(path, "rotator", r.Start(), a)
	}
	for key, act := range map[string]*Act{"new": r.New, "stop": r.Stop, "back": r.Back} {
		if act != nil {
			c.act(path+"."+key, key, *act, a)
		}
	}
	switch {
	case r.MayEnd && r.Stop != nil:
		c.Report(path+".may_end", "", "is needless beside stop")
	case r.MayEnd && len(r.Command) == 0:
		c.Report(path+".may_end", "stop: {http: …}", "is for a command: nothing else is there to be ended")
	}
	if r.New == nil && len(a.Present) > 0 {
		c.Report(path, "new: {command: [./rotate.sh, pending]}, which prints its identifier once there is one", "nothing tells of a new credential before it is in use")
	}
	if a.Value != nil && !slices.ContainsFunc(Mentions(a.Value.Texts()...), func(m Mention) bool { return m.Name == "identifier" || m.Name == "credential" }) {
		c.Report("attach.value", "with {{ .identifier }}", "gives only the value of the one in use, and whether the new one is accepted is seen by showing it before")
	}
	for _, name := range StepNames {
		if _, said := a.Steps[name]; said && !slices.Contains(rotatedSteps, name) {
			hint := "leave it out"
			if name != MakeStep && slices.Contains(cannotSteps, name) {
				hint = "attach.rotator.back is the way back"
			}
			c.Report("attach.steps."+name, hint, "the rotator takes it by itself")
		}
	}
}
