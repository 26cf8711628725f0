package rotation

import (
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// TestWayBackOfTheDead: what a rotator has left that died is taken back step by
// step, and an authority with room for one is given the old one again.
func TestWayBackOfTheDead(t *testing.T) {
	intent := func(step keyring.Step, name string) keyring.Intent {
		return keyring.Intent{Step: step, Credential: name}
	}
	ring := func(emit string, old, fresh keyring.Status, pending *keyring.Intent) *keyring.Keyring {
		k := &keyring.Keyring{Emit: emit, Pending: pending, Credentials: map[string]keyring.Credential{Old: {Status: old}}}
		if fresh != "" {
			k.Credentials[New] = keyring.Credential{Status: fresh}
		}
		return k
	}
	accepting := intent(keyring.Accept, New)
	back := []keyring.Intent{intent(keyring.Emit, Old), intent(keyring.Withdraw, New)}
	for _, tt := range []struct {
		name    string
		left    *keyring.Keyring
		inPlace bool
		want    []keyring.Intent
	}{
		{"in the accept", ring(Old, keyring.Accepted, keyring.Pending, &accepting), false, back[1:]},
		{"in the accept, in place", ring(Old, keyring.Accepted, keyring.Pending, &accepting), true, back},
		{"after the accept", ring(Old, keyring.Accepted, keyring.Accepted, nil), false, back[1:]},
		{"after the accept, in place", ring(Old, keyring.Accepted, keyring.Accepted, nil), true, back},
		{"after the emit", ring(New, keyring.Accepted, keyring.Accepted, nil), false, back},
		{"before anything, in place", ring(Old, keyring.Accepted, "", nil), true, nil},
		{"after the destroy, in place", ring(New, keyring.Destroyed, keyring.Accepted, nil), true, nil},
	} {
		if did, got := (Unfinished{Keyring: tt.left}).way(tt.inPlace); !slices.Equal(got, tt.want) || did == "" {
			t.Errorf("%s: got %v (%s), want %v", tt.name, got, did, tt.want)
		}
	}
}
