package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestTerminal(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, in := range []any{null, strings.NewReader("")} {
		if _, _, err := terminal(in.(interface{ Read([]byte) (int, error) }), &bytes.Buffer{}, os.Getenv); err == nil || !strings.Contains(err.Error(), "standard input is none") {
			t.Errorf("got %v, want that standard input is none", err)
		}
	}
}
