package standintest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
)

// Entry is one credential of a document, by its tag.
func Entry(tag, value string) map[string]any {
	return map[string]any{"tag": tag, "value": value}
}

// Store answers reads of one KV v2 path to the holder of one token.
type Store struct {
	*httptest.Server
	mu      sync.Mutex
	version int
	data    json.RawMessage
}

// StoreToken is the token with which a Store is read.
const StoreToken = "s.reader-0123456789"

func answerJSON(w http.ResponseWriter, status int, body any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // an error is that of a client that left
}

// NewStore is an empty one, for the length of a test.
func NewStore(t *testing.T) *Store {
	s := &Store{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		switch {
		case r.Header.Get("X-Vault-Token") != StoreToken:
			answerJSON(w, http.StatusForbidden, map[string]any{"errors": []string{"permission denied"}})
		case r.URL.Path != "/v1/secret/data/auth/key" || s.version == 0:
			answerJSON(w, http.StatusNotFound, map[string]any{"errors": []string{}})
		default:
			answerJSON(w, http.StatusOK, map[string]any{"data": map[string]any{
				"data": s.data, "metadata": map[string]any{"version": s.version}}})
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// Publish puts a document there, as the next version.
func (s *Store) Publish(t *testing.T, emit string, keys ...map[string]any) {
	t.Helper()
	data, err := json.Marshal(map[string]any{"emit": emit, "keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	s.data = data
}

// Config is how a stand-in is configured that reads it.
func (s *Store) Config() map[string]any {
	return map[string]any{"url": s.URL, "token": StoreToken, "path": "secret/data/auth/key"}
}

// Document is a document as a run publishes it.
func Document(t *testing.T, emit string, keys ...map[string]any) []byte {
	t.Helper()
	encoded, err := json.Marshal(map[string]any{"emit": emit, "keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

// Replace puts a document in a file at once, as the harness does.
func Replace(t *testing.T, file string, content []byte) {
	t.Helper()
	if err := os.WriteFile(file+".new", content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}
