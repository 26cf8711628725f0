package family

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// rotation is every step of a rotation, in order.
var rotation = []keyring.Intent{
	{Step: keyring.Accept, Credential: "k1"}, {Step: keyring.Emit, Credential: "k1"},
	{Step: keyring.Accept, Credential: "k2"}, {Step: keyring.Emit, Credential: "k2"},
	{Step: keyring.Revoke, Credential: "k1"}, {Step: keyring.Destroy, Credential: "k1"},
}

// take makes what is to be made for a step and takes it.
func take(t *testing.T, s world.Steps, i keyring.Intent) error {
	t.Helper()
	if i.Step == keyring.Accept {
		if _, err := s.Make(t.Context(), i.Credential); err != nil {
			return err
		}
	}
	return s.Do(t.Context(), i.Step, i.Credential)
}

// rotated is a family after the first n steps of a rotation.
func rotated(t *testing.T, m *memory, s world.Steps, n int) {
	t.Helper()
	for _, i := range rotation[:n] {
		if err := take(t, s, i); err != nil {
			t.Fatalf("%s %s: %v (writes: %q)", i.Step, i.Credential, err, m.since(0))
		}
	}
}

// set is a published document as anyone can read it.
type set struct {
	Emit string           `json:"emit"`
	Keys []map[string]any `json:"keys"`
}

func (s set) identifiers() []string {
	var ids []string
	for _, k := range s.Keys {
		for _, field := range []string{"kid", "tag"} {
			if id, ok := k[field].(string); ok {
				ids = append(ids, id)
			}
		}
	}
	slices.Sort(ids)
	return ids
}

func TestWhatIsPublished(t *testing.T) {
	m := newMemory()
	s := bound(t, planOf(t, jwtPage, jwtScenario), m, "")
	var k1, k2 string
	for _, name := range []string{"k1", "k2"} {
		id, err := s.Make(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if name == "k1" {
			k1 = id
		} else {
			k2 = id
		}
	}
	both := []string{k1, k2}
	slices.Sort(both)
	steps := []struct {
		step keyring.Step
		name string
		emit string
		keys []string
	}{
		{keyring.Accept, "k1", "", nil}, // nobody can sign yet: nothing is published
		{keyring.Emit, "k1", k1, []string{k1}},
		{keyring.Accept, "k2", k1, both},
		{keyring.Emit, "k2", k2, both},
		{keyring.Revoke, "k1", k2, []string{k2}},
		{keyring.Restore, "k1", k2, both},
		{keyring.Emit, "k1", k1, both},
		{keyring.Withdraw, "k2", k1, []string{k1}},
	}
	for _, tt := range steps {
		if err := s.Do(t.Context(), tt.step, tt.name); err != nil {
			t.Fatalf("%s %s: %v", tt.step, tt.name, err)
		}
		if tt.keys == nil {
			if _, _, err := m.Get(t.Context(), published); !errors.Is(err, world.ErrNotFound) {
				t.Errorf("after %s %s: got %v, want nothing published", tt.step, tt.name, err)
			}
			continue
		}
		got := newest[set](t, m, published)
		if got.Emit != tt.emit || !slices.Equal(got.identifiers(), tt.keys) {
			t.Errorf("after %s %s: got %s emitted of %q, want %s of %q", tt.step, tt.name, got.Emit, got.identifiers(), tt.emit, tt.keys)
		}
	}
}

func TestOrderOfWrites(t *testing.T) {
	m := newMemory()
	s := bound(t, planOf(t, jwtPage, jwtScenario), m, "")
	rotated(t, m, s, 2)
	tests := []struct {
		intent keyring.Intent
		want   []string
	}{
		{rotation[2], []string{credentialsPath + "k2", keyringPath, keyringPath, published, keyringPath}},
		{rotation[3], []string{keyringPath, published, keyringPath}},
		{rotation[4], []string{keyringPath, published, keyringPath}},
		{rotation[5], []string{keyringPath, keyringPath}},
	}
	for _, tt := range tests {
		before := len(m.since(0))
		var pending *keyring.Intent
		m.before = func(_ int, path string) error {
			if path == published {
				pending = pendingOf(m)
			}
			return nil
		}
		if err := take(t, s, tt.intent); err != nil {
			t.Fatalf("%s %s: %v", tt.intent.Step, tt.intent.Credential, err)
		}
		m.before = nil
		if got := m.since(before); !slices.Equal(got, tt.want) {
			t.Errorf("%s %s: writes are %q, want %q", tt.intent.Step, tt.intent.Credential, got, tt.want)
		}
		if slices.Contains(tt.want, published) && (pending == nil || *pending != tt.intent) {
			t.Errorf("%s %s: when it was published the keyring had %v under way, want this step", tt.intent.Step, tt.intent.Credential, pending)
		}
		if k := newest[keyring.Keyring](t, m, keyringPath); k.Pending != nil {
			t.Errorf("%s %s: %v is under way afterwards, want nothing", tt.intent.Step, tt.intent.Credential, k.Pending)
		}
	}
}

// pendingOf is the step under way as the store has it; m.mu is held.
func pendingOf(m *memory) *keyring.Intent {
	all := m.versions[keyringPath]
	pending, ok := all[len(all)-1]["pending"].(map[string]any)
	if !ok {
		return nil
	}
	return &keyring.Intent{Step: keyring.Step(pending["step"].(string)), Credential: pending["credential"].(string)}
}

// A rotator that dies before any one of its writes leaves what another one can
// finish, and the outcome is that of an undisturbed rotation.
func TestDeathBetweenWrites(t *testing.T) {
	p := planOf(t, jwtPage, jwtScenario)
	whole := newMemory()
	rotated(t, whole, bound(t, p, whole, ""), len(rotation))
	for death := range len(whole.since(0)) {
		m := newMemory()
		m.before = func(n int, _ string) error {
			if n == death {
				return errDied
			}
			return nil
		}
		s, step := bound(t, p, m, ""), 0
		for ; step < len(rotation); step++ {
			if err := take(t, s, rotation[step]); err != nil {
				if !errors.Is(err, errDied) {
					t.Fatalf("death before write %d: %v", death, err)
				}
				break
			}
		}
		if step == len(rotation) {
			t.Fatalf("death before write %d: it did not come", death)
		}
		m.before = nil
		successor := bound(t, p, m, "") // knows nothing but the store
		for _, i := range rotation[step:] {
			if err := take(t, successor, i); err != nil {
				t.Fatalf("death before write %d: %s %s by the successor: %v", death, i.Step, i.Credential, err)
			}
		}
		k := newest[keyring.Keyring](t, m, keyringPath)
		if k.Emit != "k2" || k.Pending != nil || k.Credentials["k1"].Status != keyring.Destroyed || k.Credentials["k2"].Status != keyring.Accepted {
			t.Errorf("death before write %d: got %+v, want k2 emitted, k1 destroyed and nothing under way", death, k)
		}
		got := newest[set](t, m, published)
		if want := k.Credentials["k2"].Identifier; got.Emit != want || !slices.Equal(got.identifiers(), []string{want}) {
			t.Errorf("death before write %d: published are %q with %s emitted, want %s alone", death, got.identifiers(), got.Emit, want)
		}
	}
}

// The way back works from a step that failed half-way, too.
func TestFailedStepIsTakenBack(t *testing.T) {
	tests := []struct {
		name string
		fail keyring.Intent
		done int // steps before
		back []keyring.Intent
	}{
		{"accept", rotation[2], 2, []keyring.Intent{{Step: keyring.Withdraw, Credential: "k2"}}},
		{"emit", rotation[3], 3, []keyring.Intent{{Step: keyring.Emit, Credential: "k1"}, {Step: keyring.Withdraw, Credential: "k2"}}},
		{"revoke", rotation[4], 4, []keyring.Intent{
			{Step: keyring.Restore, Credential: "k1"}, {Step: keyring.Emit, Credential: "k1"}, {Step: keyring.Withdraw, Credential: "k2"},
		}},
	}
	for _, tt := range tests {
		for _, path := range []string{keyringPath, published} {
			t.Run(tt.name+" at "+path, func(t *testing.T) {
				m := newMemory()
				s := bound(t, planOf(t, jwtPage, jwtScenario), m, "")
				rotated(t, m, s, tt.done)
				if _, err := s.Make(t.Context(), "k2"); err != nil {
					t.Fatal(err)
				}
				m.before = func(_ int, at string) error {
					if at == path {
						return errDied
					}
					return nil
				}
				if err := s.Do(t.Context(), tt.fail.Step, tt.fail.Credential); !errors.Is(err, errDied) {
					t.Fatalf("got %v, want %v", err, errDied)
				}
				m.before = nil
				for _, i := range tt.back {
					if err := s.Do(t.Context(), i.Step, i.Credential); err != nil {
						t.Fatalf("%s %s: %v", i.Step, i.Credential, err)
					}
				}
				k := newest[keyring.Keyring](t, m, keyringPath)
				got := newest[set](t, m, published)
				if want := k.Credentials["k1"].Identifier; got.Emit != want || !slices.Equal(got.identifiers(), []string{want}) {
					t.Errorf("published are %q with %s emitted, want %s alone", got.identifiers(), got.Emit, want)
				}
			})
		}
	}
}

func TestStepsAreSafeToRepeat(t *testing.T) {
	m := newMemory()
	s := bound(t, planOf(t, jwtPage, jwtScenario), m, "")
	for _, i := range rotation {
		if err := take(t, s, i); err != nil {
			t.Fatalf("%s %s: %v", i.Step, i.Credential, err)
		}
		before := m.since(0)
		if err := take(t, s, i); err != nil {
			t.Errorf("%s %s again: %v", i.Step, i.Credential, err)
		}
		if got := m.since(len(before)); len(got) != 0 {
			t.Errorf("%s %s again: wrote %q, want nothing", i.Step, i.Credential, got)
		}
	}
}

func TestIllegalStep(t *testing.T) {
	m := newMemory()
	s := bound(t, planOf(t, jwtPage, jwtScenario), m, "")
	rotated(t, m, s, 2)
	before := len(m.since(0))
	if err := s.Do(t.Context(), keyring.Revoke, "k1"); !errors.Is(err, keyring.ErrIllegal) {
		t.Errorf("revoke the emitted one: got %v, want ErrIllegal", err)
	}
	if got := m.since(before); len(got) != 0 {
		t.Errorf("a refused step wrote %q, want nothing", got)
	}
}

func TestDestroyLeavesNoVersionWithTheValue(t *testing.T) {
	for name, p := range map[string][2]string{"jwt": {jwtPage, jwtScenario}, "rsa": {strings.Replace(jwtPage, "ES256", "RS256", 1), jwtScenario}} {
		t.Run(name, func(t *testing.T) {
			m := newMemory()
			b := bound(t, planOf(t, p[0], p[1]), m, "")
			rotated(t, m, b, 2)
			old := printable(b.Secrets())
			if !holdsAny(m.text(t), old) {
				t.Fatal("the store does not hold the value of k1 to begin with")
			}
			for _, i := range rotation[2:] {
				if err := take(t, b, i); err != nil {
					t.Fatal(err)
				}
			}
			if holdsAny(m.text(t), old) {
				t.Error("a version with the value of k1 is left")
			}
			if got := newest[set](t, m, published); len(got.Keys) != 1 {
				t.Errorf("published are %q, want k2 as before", got.identifiers())
			}
		})
	}
}

// printable are the values that JSON holds as they stand.
func printable(values []string) []string {
	return slices.DeleteFunc(slices.Clone(values), func(v string) bool {
		return strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r > '~' })
	})
}

func holdsAny(text string, values []string) bool {
	return slices.ContainsFunc(values, func(v string) bool { return strings.Contains(text, v) })
}

func TestErrors(t *testing.T) {
	tests := []struct {
		name    string
		disturb func(m *memory)
		want    error
	}{
		{"something else is read back", func(m *memory) {
			m.after = func(path string, data map[string]any) {
				if path == published {
					data["emit"] = "another"
				}
			}
		}, ErrReadBack},
		{"another writes at the same time", func(m *memory) {
			m.before = func(_ int, path string) error {
				if path == published {
					m.versions[path] = append(m.versions[path], map[string]any{"emit": "another"})
				}
				return nil
			}
		}, world.ErrConflict},
		{"the kept value is damaged", func(m *memory) {
			m.versions[credentialsPath+"k2"] = []map[string]any{{"kid": "x", "jwk": m.versions[credentialsPath+"k1"][0]["jwk"]}}
		}, errNotASigningKey},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMemory()
			b := bound(t, planOf(t, jwtPage, jwtScenario), m, "")
			rotated(t, m, b, 2)
			tt.disturb(m)
			err := take(t, b, rotation[2])
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v in its chain", err, tt.want)
			}
			if holdsAny(err.Error(), printable(b.Secrets())) {
				t.Error("the error holds a value")
			}
		})
	}
}
