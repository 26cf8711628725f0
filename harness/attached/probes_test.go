package attached

import (
	"strings"
	"testing"
)

// TestSpoilt: all of a token is as it was but its signature, which is as long as before.
func TestSpoilt(t *testing.T) {
	const raw = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.MEUCIQ-abcXYZ_0"
	got := spoilt(raw)
	before, signature, _ := strings.Cut(got, "ifQ.")
	if !strings.HasPrefix(raw, before+"ifQ.") || len(got) != len(raw) || strings.HasSuffix(raw, signature) {
		t.Errorf("got %q, want another signature of the same length alone", got)
	}
}
