package harness

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	embedded "github.com/rehearse-dev/rehearse/fakes/store"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
	"github.com/rehearse-dev/rehearse/harness/store"
)

// TestNamedVaultIsLeftEmpty has a run make its part of a server that it did not
// start, and die: what it left is told, removed with a token of that server, and
// the record of it holds no token.
func TestNamedVaultIsLeftEmpty(t *testing.T) {
	const root = "the-root-token-of-a-test"
	server := httptest.NewServer(embedded.New(root, io.Discard))
	t.Cleanup(server.Close)
	runs := t.TempDir()
	record, err := leftover.Create(runs, "over")
	if err != nil {
		t.Fatal(err)
	}
	if err := record.AddVault(server.URL, store.MountOf("over")); err != nil {
		t.Fatal(err)
	}
	before := lists(t, server.URL, root)
	part, err := store.Open(t.Context(), store.Server{URL: server.URL, Token: root, Note: record.AddToVault}, "over")
	if err != nil {
		t.Fatal(err)
	}
	reader, err := part.Token(t.Context(), "checkout", "auth/key")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(runs, "over.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{root, reader, part.OwnToken()} {
		if strings.Contains(string(text), token) {
			t.Errorf("the record holds a token")
		}
	}
	// As one that was killed.
	dead := strings.Replace(string(text), `"start":"`, `"start":"another-`, 1)
	if err := os.WriteFile(file, []byte(dead), 0o600); err != nil {
		t.Fatal(err)
	}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("another Vault was asked") }))
	defer elsewhere.Close()
	for _, address := range []string{"", elsewhere.URL} {
		places := Places(address, root, launch.Place{})
		places.Engines = nil
		swept, err := leftover.Sweep(t.Context(), runs, places)
		if err != nil || len(swept.Left) != 1 || swept.Left[0].Mount != "rehearse-over" || len(swept.Left[0].Accessors) != 2 || len(swept.Left[0].Policies) != 2 {
			t.Fatalf("swept without its address (%q): got %+v, %v; want its mount, two policies and two tokens told", address, swept, err)
		}
	}
	places := Places(server.URL+"/", root, launch.Place{})
	places.Engines = nil
	swept, err := leftover.Sweep(t.Context(), runs, places)
	if err != nil || len(swept.Left) != 0 || len(swept.Runs) != 1 {
		t.Fatalf("swept with its address: got %+v, %v; want the run gone", swept, err)
	}
	if after := lists(t, server.URL, root); after != before {
		t.Errorf("left behind: got %s, want %s", after, before)
	}
	for _, token := range []string{reader, part.OwnToken()} {
		if got := ask(t, http.MethodGet, server.URL+"/v1/auth/token/lookup-self", token); got != http.StatusForbidden {
			t.Errorf("a token of the run: got %d, want it revoked", got)
		}
	}
}

// lists are the mounts and policies of a server.
func lists(t *testing.T, url, token string) string {
	t.Helper()
	var all strings.Builder
	for _, path := range []string{"sys/mounts", "sys/policies/acl?list=true"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/v1/"+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Vault-Token", token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var answer struct{ Data json.RawMessage }
		err = json.NewDecoder(resp.Body).Decode(&answer)
		_ = resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		all.Write(answer.Data)
	}
	return all.String()
}

// ask is the status of an answer.
func ask(t *testing.T, method, url, token string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Vault-Token", token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}
