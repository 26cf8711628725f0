package family

import (
	"strings"
	"testing"
)

// TestSpoilt: all of a token is as it was but its signature, which is as long as before and
// can be decoded as before; a value that is no token is another one.
func TestSpoilt(t *testing.T) {
	t.Parallel()
	const raw = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.MEUCIQ-abcXYZ_0Q"
	got := Spoilt(raw)
	before, signature, _ := strings.Cut(got, "ifQ.")
	if !strings.HasPrefix(raw, before+"ifQ.") || len(got) != len(raw) || !strings.HasSuffix(signature, "Q") || strings.HasSuffix(raw, signature) {
		t.Errorf("got %q, want another signature of the same length alone", got)
	}
	for _, value := range []string{"opaque-Token", "sk_live_9", "sk_live_Z", "sk_live_z", "sk_live_=", ""} {
		if other := OtherEnd(value); len(other) != len(value) || value != "" && (other == value || other[:len(other)-1] != value[:len(value)-1]) {
			t.Errorf("%q: got %q, want another last character", value, other)
		}
	}
	if Spoilt("opaque-Token") == "opaque-Token" || Spoilt("") != "" {
		t.Error("a value that is no token stays as it is")
	}
}
