package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	embedded "github.com/rehearse-dev/rehearse/fakes/store"
	"github.com/rehearse-dev/rehearse/harness/store"
)

// A key leaves the set only when it is known to be kept: else nobody could put
// it back.
func TestWithholdKeepsFirst(t *testing.T) {
	const token = "the-root-token"
	inner, fails := embedded.New(token, &bytes.Buffer{}), false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fails && strings.Contains(r.URL.Path, "/kept/") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	defer server.Close()
	s, err := store.Open(t.Context(), store.Server{URL: server.URL, Token: token}, "explore")
	if err != nil {
		t.Fatal(err)
	}
	const path, kid = "auth/key", "old"
	if _, err := s.Put(t.Context(), path, map[string]any{"keys": []any{map[string]any{"kid": kid}}}, 0); err != nil {
		t.Fatal(err)
	}
	turn := keySetTurn{s, path}
	for _, tt := range []struct {
		name  string
		fails bool
		left  int
	}{{"nobody knows whether it is kept", true, 1}, {"it is kept", false, 0}} {
		fails = tt.fails
		if _, err := turn.take(t.Context(), "withdraw", kid); (err != nil) != tt.fails {
			t.Errorf("%s: got error %v", tt.name, err)
		}
		document, _, err := s.Get(t.Context(), path)
		if keys, _ := document["keys"].([]any); err != nil || len(keys) != tt.left {
			t.Errorf("%s: got %v, %v; want %d keys in the set", tt.name, document, err, tt.left)
		}
	}
}

// TestTurnTakesAnyKID has a KID that begins with a hyphen, as one in 64 does, as an
// argument of the command.
func TestTurnTakesAnyKID(t *testing.T) {
	const token, path, kid = "the-root-token", "auth/key", "-4uS5zumDwS4TxkhkONzJ8wKgDPZmFRMeide5mqjBDE"
	server := httptest.NewServer(embedded.New(token, &bytes.Buffer{}))
	defer server.Close()
	s, err := store.Open(t.Context(), store.Server{URL: server.URL, Token: token}, strings.TrimPrefix(exploreMount, "rehearse-"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), path, map[string]any{"keys": []any{map[string]any{"kid": kid}}}, 0); err != nil {
		t.Fatal(err)
	}
	t.Setenv(storeTokenVariable, token)
	command, out := turnCommand(), &bytes.Buffer{}
	command.SetArgs([]string{server.URL, path, "withdraw", kid})
	command.SetOut(out)
	if err := command.ExecuteContext(t.Context()); err != nil || strings.TrimSpace(out.String()) != kid {
		t.Errorf("got %q, %v; want the KID", out, err)
	}
	document, _, err := s.Get(t.Context(), path)
	if keys, _ := document["keys"].([]any); err != nil || len(keys) != 0 {
		t.Errorf("got %v, %v; want no key left in the set", document, err)
	}
}
