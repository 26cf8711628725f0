package fakes

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const documentVariable = "REHEARSE_TEST_SECRET"

// published is a document as a run publishes it.
func published(t *testing.T, emit string, keys ...map[string]any) []byte {
	t.Helper()
	encoded, err := json.Marshal(map[string]any{"emit": emit, "keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

// replace puts a document in a file at once, as the harness does.
func replace(t *testing.T, file string, content []byte) {
	t.Helper()
	if err := os.WriteFile(file+".new", content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

func TestPublishedConfig(t *testing.T) {
	store := &StoreConfig{URL: "http://store", Token: "t", Path: "m/data/p"}
	tests := []struct {
		name   string
		config PublishedConfig
		want   string // in the error; "": none
	}{
		{"store", PublishedConfig{Store: store, Refresh: 1}, ""},
		{"file", PublishedConfig{File: "/f", Refresh: 1}, ""},
		{"variable is not read again", PublishedConfig{Variable: "V"}, ""},
		{"pinned", PublishedConfig{File: "/f", Pinned: true}, ""},
		{"none", PublishedConfig{Refresh: 1}, "got 0 of them"},
		{"two", PublishedConfig{File: "/f", Variable: "V"}, "got 2 of them"},
		{"no refresh", PublishedConfig{Store: store}, "refresh must be longer than 0"},
		{"no token", PublishedConfig{Store: &StoreConfig{URL: "u", Path: "p"}, Refresh: 1}, "store.token is missing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.config.check()
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// chargerOf runs a charger that gets its key as config says.
func chargerOf(t *testing.T, config map[string]any) (string, *logBook) {
	t.Helper()
	return serve(t, ServeCharger, with(map[string]any{"name": "shop", "provider": "http://127.0.0.1:1"}, config))
}

func TestFileIsReadAgain(t *testing.T) {
	one, two := "sk_one_0123456789", "sk_two_0123456789"
	file := filepath.Join(t.TempDir(), "secret.json")
	charger, log := chargerOf(t, map[string]any{"file": file, "refresh": "10ms"})
	log.forbid(one, two)
	if status, body := call(t, http.MethodGet, charger+"/healthz", "", nil); status != http.StatusServiceUnavailable {
		t.Errorf("without the file: got %d %s, want 503", status, body)
	}
	replace(t, file, published(t, "v1", apiKeyEntry("v1", one)))
	awaitReady(t, charger)
	missing := len(log.lines("fetch-failed")) // none, where the file was there at the first read
	replace(t, file, []byte(`{"emit": "v2", "keys": [{"tag": "v2", "val`))
	eventually(t, "word of the broken file", func() bool { return len(log.lines("fetch-failed")) > missing })
	replace(t, file, published(t, "v2", apiKeyEntry("v1", one), apiKeyEntry("v2", two)))
	eventually(t, "the switch", func() bool { return len(log.lines("emitting")) == 2 })
	wantEqual(t, "emitting", log.identifiers("emitting"), []string{"v1", "v2"})
	wantEqual(t, "loaded as often as the file changed", log.identifiers("loaded"), []string{"v1", "v2"})
}

func TestPinnedFileIsNotReadAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret.json")
	replace(t, file, published(t, "v1", apiKeyEntry("v1", "sk_one_0123456789")))
	charger, log := chargerOf(t, map[string]any{"file": file, "refresh": "10ms", "pinned": true})
	awaitReady(t, charger)
	// A broken file would be told of at the next read.
	replace(t, file, []byte("broken"))
	time.Sleep(50 * time.Millisecond)
	if failed := log.lines("fetch-failed"); len(failed) > 0 {
		t.Errorf("got reads that failed: %+v, want none", failed)
	}
}

func TestVariableIsReadOnce(t *testing.T) {
	one := "sk_one_0123456789"
	t.Setenv(documentVariable, string(published(t, "v1", apiKeyEntry("v1", one))))
	charger, log := chargerOf(t, map[string]any{"variable": documentVariable})
	log.forbid(one)
	awaitReady(t, charger)
	wantEqual(t, "emitting", log.identifiers("emitting"), []string{"v1"})
}

// TestMissingVariableEndsTheService: there is nothing to wait for, so whoever
// deploys it must see it fail.
func TestMissingVariableEndsTheService(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	config := `{"name": "shop", "provider": "http://127.0.0.1:1", "variable": "REHEARSE_TEST_UNSET"}`
	err = ServeCharger(t.Context(), []byte(config), listener, &logBook{t: t})
	if err == nil || !strings.Contains(err.Error(), "environment variable REHEARSE_TEST_UNSET is not set") {
		t.Errorf("got %v, want the name of the variable", err)
	}
}

// TestHandingOver: whoever is on a connection of a service that is replaced is
// told to come back on another one, before anything is closed.
func TestHandingOver(t *testing.T) {
	t.Setenv(documentVariable, string(published(t, "v1", apiKeyEntry("v1", "sk_one_0123456789"))))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	done := make(chan error, 1)
	config := `{"name": "shop", "provider": "http://127.0.0.1:1", "variable": "` + documentVariable + `"}`
	go func() { done <- ServeCharger(ctx, []byte(config), listener, &logBook{t: t}) }()
	base := "http://" + listener.Addr().String()
	awaitReady(t, base)
	// One connection of its own, which is kept because each answer is read to its end.
	own := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	defer own.CloseIdleConnections()
	closes := func() bool {
		resp, err := own.Get(base + "/healthz")
		if err != nil {
			t.Fatalf("got %v, want answers", err)
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
		return resp.Close
	}
	if closes() {
		t.Fatal("before: got a connection that is closed, want one that is kept")
	}
	end()
	eventually(t, "an answer that closes its connection", closes)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
