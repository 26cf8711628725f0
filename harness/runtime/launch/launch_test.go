package launch_test

import (
	"testing"

	"github.com/rehearse-dev/rehearse/fakes/standin"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
)

// The stand-ins import nothing of the harness but its leaf types, so the
// contract is written down on both sides.
func TestContractIsThatOfTheStandIns(t *testing.T) {
	for ours, theirs := range map[string]string{
		launch.ListenFD: standin.ListenFDVariable,
		launch.Listen:   standin.ListenVariable,
		launch.Lifeline: standin.LifelineVariable,
	} {
		if ours != theirs {
			t.Errorf("runtimes say %s, stand-ins listen to %s", ours, theirs)
		}
	}
}
