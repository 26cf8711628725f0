package family

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// A rotator that dies in a step has begun it and published nothing; the next one
// takes it up by what the store has, and ends where a rotation ends that nothing
// happened to.
func TestAnotherRotatorTakesUpAStep(t *testing.T) {
	for n := 2; n < len(rotation); n++ {
		intent := rotation[n]
		t.Run(string(intent.Step)+" "+intent.Credential, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory()
				s := bound(t, planOf(t, jwtPage, jwtScenario), m, "")
				rotated(t, m, s, n)
				before := newest[set](t, m, published)
				s.Die()
				ended := make(chan error, 1)
				go func() { ended <- take(t, s, intent) }() // it ends with Revive
				time.Sleep(time.Hour)
				synctest.Wait()
				select {
				case err := <-ended:
					t.Fatalf("the step ended while nobody was there to take it: %v", err)
				default:
				}
				ring, err := s.Keyring(t.Context())
				if err != nil || ring.Pending == nil || *ring.Pending != intent {
					t.Errorf("the keyring while nobody is there: got %+v, %v, want %+v under way", ring, err, intent)
				}
				if now := newest[set](t, m, published); now.Emit != before.Emit || !slices.Equal(now.identifiers(), before.identifiers()) {
					t.Errorf("published by a rotator that died: %q", now.identifiers())
				}
				secrets := s.Secrets()
				s.Revive()
				if err := <-ended; err != nil {
					t.Fatal(err)
				}
				for _, rest := range rotation[n+1:] {
					if err := take(t, s, rest); err != nil {
						t.Fatalf("%s %s by the next one: %v", rest.Step, rest.Credential, err)
					}
				}
				if ring, err = s.Keyring(t.Context()); err != nil || ring.Pending != nil || ring.Emit != "k2" || ring.Credentials["k1"].Status != keyring.Destroyed {
					t.Errorf("the keyring at the end: got %+v, %v", ring, err)
				}
				for _, value := range secrets {
					if !slices.Contains(s.Secrets(), value) {
						t.Error("a value that the dead one had is not looked for in logs any more")
					}
				}
				if differences, err := s.Compare(t.Context()); err != nil || len(differences) > 0 {
					t.Errorf("authority and store at the end: %q, %v", differences, err)
				}
			})
		})
	}
}

func TestNobodyWaitsForARotatorForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		s := bound(t, planOf(t, jwtPage, jwtScenario), m, "")
		s.Revive() // nobody has died
		rotated(t, m, s, 3)
		s.Die()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := s.Do(ctx, keyring.Emit, "k2"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
		}
		s.Revive()
		if err := s.Do(t.Context(), keyring.Emit, "k2"); err != nil {
			t.Errorf("by the next one: %v", err)
		}
	})
}
