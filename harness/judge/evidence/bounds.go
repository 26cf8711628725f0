package evidence

import (
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// BoundsSeen are the bounds of the page with what the run has seen.
func (e *Evidence) BoundsSeen() []plan.Bound {
	return e.Limits.BoundsSeen(plan.Sight{View: e.View, Old: e.Old, New: e.Fresh})
}
