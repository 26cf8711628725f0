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
	long := strings.Repeat("k", 100)
	for value, at := range map[string]int{
		"opaque-Token": 8, "sk_live_9ab": 7, "sk_live": 6, "Z": 0, "z=": 1, "x": 0, "abcdefghi===": 8, long: 70,
		"hvs.CAESIJ1Q": 8, // of its last character a decoder may drop bits: it would be the same token
	} {
		other := OtherEnd(value)
		if len(other) != len(value) || other[at] == value[at] || other[:at] != value[:at] || other[at+1:] != value[at+1:] {
			t.Errorf("%q: got %q, want another character at %d alone", value, other, at)
		}
	}
	if OtherEnd("") != "" {
		t.Error("nothing is not what it was")
	}
	if Spoilt("opaque-Token") == "opaque-Token" || Spoilt("") != "" {
		t.Error("a value that is no token stays as it is")
	}
}
