package history

import "testing"

func TestNeither(t *testing.T) {
	for status, want := range map[string]string{
		"42501": "answered 42501 to k2", "530": "answered 530 to k2", "LOADING": "answered LOADING to k2", "530 connection limit": "answered 530 connection limit to k2",
		"timeout": "gave no answer about k2 (timeout)", "no answer": "gave no answer about k2 (no answer)", "": "gave no answer about k2 ()",
	} {
		if got := Neither("k2", status); got != want {
			t.Errorf("%q: got %q, want %q", status, got, want)
		}
	}
}
