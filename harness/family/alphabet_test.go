package family

import (
	"strings"
	"testing"
)

// TestWithAlphabet: every character is there, and neither at an end nor in what says
// what the value is.
func TestWithAlphabet(t *testing.T) {
	const characters = "@/%#$\"'\\ "
	for _, field := range []string{"value", "password"} {
		entry := map[string]any{"tag": "k2", field: "whsec_" + strings.Repeat("a", 26)}
		for range 100 {
			made, err := withAlphabet(entry, characters)
			if err != nil {
				t.Fatal(err)
			}
			value := made[field].(string)
			for _, character := range characters {
				if strings.Count(value, string(character)) != 1 {
					t.Fatalf("%q: want one %q", value, character)
				}
			}
			if !strings.HasPrefix(value, "whsec_aaaaaaaaaa") || !strings.HasSuffix(value, "a") || len(value) != 32+len(characters) {
				t.Fatalf("got %q", value)
			}
		}
		if strings.ContainsAny(entry[field].(string), characters) {
			t.Error("the entry itself was changed")
		}
	}
}
