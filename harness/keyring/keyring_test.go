package keyring

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
)

func step(t *testing.T, k *Keyring, s Step, name string) {
	t.Helper()
	if err := k.Begin(s, name); err != nil {
		t.Fatalf("begin: %v", err)
	}
	if err := k.End(); err != nil {
		t.Fatalf("end: %v", err)
	}
}

// rotated is a keyring right after one step of the rotation from k1 to k2, or
// at its beginning.
func rotated(t *testing.T, until Step) *Keyring {
	t.Helper()
	var k Keyring
	for _, name := range []string{"k1", "k2"} {
		if err := k.Add(name, "id-"+name); err != nil {
			t.Fatal(err)
		}
	}
	step(t, &k, Accept, "k1")
	step(t, &k, Emit, "k1")
	for _, s := range []Intent{{Accept, "k2"}, {Emit, "k2"}, {Revoke, "k1"}, {Destroy, "k1"}} {
		if until == "" {
			break
		}
		step(t, &k, s.Step, s.Credential)
		if s.Step == until {
			break
		}
	}
	return &k
}

func TestRotation(t *testing.T) {
	k := rotated(t, Destroy)
	want := map[string]Credential{
		"k1": {Status: Destroyed, Identifier: "id-k1"},
		"k2": {Status: Accepted, Identifier: "id-k2"},
	}
	if k.Emit != "k2" || !reflect.DeepEqual(k.Credentials, want) || k.Pending != nil {
		t.Errorf("after a rotation: got %+v, want k2 emitted and %+v", k, want)
	}
}

func TestIllegalSteps(t *testing.T) {
	tests := []struct {
		name  string
		until Step
		step  Step
		cred  string
	}{
		{"emit what is pending only", "", Emit, "k2"},
		{"emit what is not there", "", Emit, "k9"},
		{"revoke the emitted one", Emit, Revoke, "k2"},
		{"withdraw the emitted one", Emit, Withdraw, "k2"},
		{"emit a revoked one", Revoke, Emit, "k1"},
		{"destroy what is accepted", Emit, Destroy, "k1"},
		{"restore what was destroyed", Destroy, Restore, "k1"},
		{"accept twice", Accept, Accept, "k2"},
		{"an unknown step", Accept, "rotate", "k2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := rotated(t, tt.until)
			before := k.Clone()
			if err := k.Begin(tt.step, tt.cred); !errors.Is(err, ErrIllegal) {
				t.Errorf("got error %v, want ErrIllegal", err)
			}
			if !reflect.DeepEqual(k, before) {
				t.Errorf("a refused step changed the keyring: %+v, was %+v", k, before)
			}
		})
	}
}

func TestInterruptedStepGoesOn(t *testing.T) {
	k := rotated(t, Accept)
	if err := k.Begin(Emit, "k2"); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Begin(Withdraw, "k2"); !errors.Is(err, ErrIllegal) {
		t.Errorf("another step while one is pending: got %v, want ErrIllegal", err)
	}
	if err := again.Begin(Emit, "k2"); err != nil {
		t.Errorf("the same step again: %v", err)
	}
	if err := again.End(); err != nil || again.Emit != "k2" {
		t.Errorf("got %v and emit %s, want no error and k2", err, again.Emit)
	}
}

func TestInterruptedEmitGoesBack(t *testing.T) {
	k := rotated(t, Accept)
	if err := k.Begin(Emit, "k2"); err != nil {
		t.Fatal(err)
	}
	step(t, k, Emit, "k1")
	step(t, k, Withdraw, "k2")
	if k.Emit != "k1" || k.Credentials["k2"].Status != Disabled {
		t.Errorf("got emit %s and %+v, want k1 and k2 disabled", k.Emit, k.Credentials)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, bad := range []string{"", "[]", `{"credentials":{"k1":{"status":"lost"}}}`} {
		if _, err := Parse([]byte(bad)); err == nil {
			t.Errorf("Parse(%q) took it, want an error", bad)
		}
	}
}

func TestRestore(t *testing.T) {
	k := rotated(t, Revoke)
	step(t, k, Restore, "k1")
	step(t, k, Emit, "k1")
	step(t, k, Withdraw, "k2")
	if got := k.In(Accepted); !reflect.DeepEqual(got, []string{"k1"}) || k.Emit != "k1" {
		t.Errorf("after the way back: accepted %v, emitted %s, want [k1] and k1", got, k.Emit)
	}
}

func TestInterruptedStepIsTakenBack(t *testing.T) {
	tests := []struct {
		until      Step
		begun      Intent
		back       Step
		wantStatus Status
	}{
		{"", Intent{Accept, "k2"}, Withdraw, Disabled},
		{Emit, Intent{Revoke, "k1"}, Restore, Accepted},
	}
	for _, tt := range tests {
		t.Run(string(tt.begun.Step), func(t *testing.T) {
			k := rotated(t, tt.until)
			if err := k.Begin(tt.begun.Step, tt.begun.Credential); err != nil {
				t.Fatal(err)
			}
			step(t, k, tt.back, tt.begun.Credential)
			if got := k.Credentials[tt.begun.Credential].Status; got != tt.wantStatus || k.Pending != nil {
				t.Errorf("got %s with pending %v, want %s and nothing pending", got, k.Pending, tt.wantStatus)
			}
		})
	}
}
