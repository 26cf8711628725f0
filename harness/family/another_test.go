package family

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// Another rotation that begins after a step of this one takes the place of the
// oldest where both are taken, and this one touches nothing from then on but
// what it wrote itself.
func TestAnotherRotation(t *testing.T) {
	for _, tt := range []struct {
		after string // the last step that was taken
		steps int
		keeps []string
		emit  string
	}{
		{"emit k1", 2, []string{"k1", "k3"}, "k1"},
		{"accept k2", 3, []string{"k2", "k3"}, "k3"},
		{"emit k2", 4, []string{"k2", "k3"}, "k2"},
		{"revoke k1", 5, []string{"k2", "k3"}, "k2"},
	} {
		t.Run("after "+tt.after, func(t *testing.T) {
			m := newMemory()
			s := bound(t, planOf(t, jwtPage, jwtScenario), m, "")
			rotated(t, m, s, tt.steps)
			identifier, err := s.Another(t.Context(), "k3")
			if err != nil {
				t.Fatal(err)
			}
			ring, err := s.Keyring(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			known := func(name string) string {
				if name == "k3" {
					return identifier
				}
				return ring.Credentials[name].Identifier
			}
			var want []string
			for _, name := range tt.keeps {
				want = append(want, known(name))
			}
			slices.Sort(want)
			got := newest[set](t, m, published)
			if got.Emit != known(tt.emit) || !slices.Equal(got.identifiers(), want) {
				t.Errorf("published: got %s emitted of %q, want %s of %q", got.Emit, got.identifiers(), known(tt.emit), want)
			}
			if _, ok := ring.Credentials["k3"]; ok {
				t.Error("this rotation's keyring knows of the other's credential")
			}
			wrote := len(m.since(0))
			for _, step := range []keyring.Intent{{Step: keyring.Emit, Credential: "k1"}, {Step: keyring.Revoke, Credential: "k1"}, {Step: keyring.Restore, Credential: "k1"}} {
				if err := s.Do(t.Context(), step.Step, step.Credential); !errors.Is(err, world.ErrOtherRotation) {
					t.Errorf("%s %s over another rotation: got %v, want %v", step.Step, step.Credential, err, world.ErrOtherRotation)
				} else if holdsAny(err.Error(), s.Secrets()) {
					t.Error("the error holds a value")
				}
			}
			if more := m.since(wrote); len(more) > 0 {
				t.Errorf("refused steps wrote %q", more)
			}
			if tt.steps < 5 {
				return
			}
			if err := s.Do(t.Context(), keyring.Destroy, "k1"); err != nil {
				t.Errorf("destroy what this rotation wrote: %v", err)
			}
			if again := newest[set](t, m, published); again.Emit != got.Emit || !slices.Equal(again.identifiers(), got.identifiers()) {
				t.Errorf("after destroy: got %q, want what the other rotation published: %q", again.identifiers(), got.identifiers())
			}
		})
	}
}

// What a rotator finds that goes on where another died is nobody else's.
func TestAnotherRotatorOfTheSameRotation(t *testing.T) {
	m := newMemory()
	rotated(t, m, bound(t, planOf(t, jwtPage, jwtScenario), m, ""), 3)
	s := bound(t, planOf(t, jwtPage, jwtScenario), m, "")
	if err := s.Do(t.Context(), keyring.Emit, "k2"); err != nil {
		t.Errorf("emit k2 where another rotator had accepted it: %v", err)
	}
}

func TestAnotherRotationOfNothing(t *testing.T) {
	m := newMemory()
	s := bound(t, planOf(t, jwtPage, jwtScenario), m, "")
	if _, err := s.Another(t.Context(), "k3"); !errors.Is(err, world.ErrNotFound) {
		t.Errorf("begin another rotation where nothing is published: got %v, want %v", err, world.ErrNotFound)
	}
	if _, err := m.Put(t.Context(), published, map[string]any{"emit": "x", "keys": []any{"rubbish"}}, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Another(t.Context(), "k3"); err == nil || !strings.Contains(err.Error(), "read what is published") {
		t.Errorf("begin another rotation of rubbish: got %v", err)
	}
}
