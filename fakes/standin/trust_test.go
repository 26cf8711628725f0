package standin

import (
	"strings"
	"testing"
)

// What cannot be read may have a key in it: the error has none of it.
func TestAdoptRefuses(t *testing.T) {
	for _, given := range []string{"no JSON", `{"ca": "no certificate"}`} {
		if err := adopt(given); err == nil || strings.Contains(err.Error(), "no ") {
			t.Errorf("%s: got %v, want an error without it", given, err)
		}
	}
	if err := adopt(""); err != nil {
		t.Errorf("nothing given: got %v", err)
	}
}
