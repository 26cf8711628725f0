package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/store"
	"github.com/rehearse-dev/rehearse/harness/vaultpath"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// hostile are paths that lead out of a mount, for one that reads them so.
var hostile = []string{
	"../../sys/seal", "../../prod/data/db", "..", ".", "", "/", "a//b", "a/", "/a", "a/./b", "a/../../b",
	"%2e%2e/%2e%2e/sys/seal", "a%2fb", `..\..\sys`, "a\x00b", "a\nb", "a?version=1", "a#b", "*", "+", `a" { capabilities = ["sudo"] }`,
}

// TestHostilePathsAreNotSent hands every method a path that leads elsewhere: it
// is refused, without a panic and before anything is sent.
func TestHostilePathsAreNotSent(t *testing.T) {
	s := startEmbedded(t)
	st := open(t, s, "r1")
	before := served(t, s)
	for _, path := range hostile {
		methods := map[string]func() error{
			"Get":          func() error { _, _, err := st.Get(t.Context(), path); return err },
			"Put":          func() error { _, err := st.Put(t.Context(), path, map[string]any{"value": "x"}, 0); return err },
			"Destroy":      func() error { return st.Destroy(t.Context(), path, []int{1}) },
			"Token":        func() error { _, err := st.Token(t.Context(), "checkout", path); return err },
			"Token's name": func() error { _, err := st.Token(t.Context(), path, "auth/key"); return err },
			"Rotate":       func() error { _, err := st.Rotate(t.Context(), path); return err },
			"Adopt": func() error {
				_, err := st.Adopt(t.Context(), world.StaticRole{Login: path, Database: "db"})
				return err
			},
			"Open": func() error { _, err := store.Open(t.Context(), s.ours(), path); return err },
			"Attach": func() error {
				_, err := store.Attach(t.Context(), s.ours(), "r1", store.ReadersPart("r1", path))
				return err
			},
			"Existing": func() error { _, err := store.Existing(s.url, s.root, path); return err },
		}
		for name, method := range methods {
			if name == "Open" && (path == "" || path == ".." || path == ".") {
				continue // rehearse- and rehearse-.. are names like others
			}
			if err := method(); !errors.Is(err, vaultpath.ErrPath) && !errors.Is(err, store.ErrOutside) {
				t.Errorf("%s of %q: got %v, want %v", name, path, err, vaultpath.ErrPath)
			}
		}
	}
	if after := served(t, s); after != before {
		t.Errorf("%d requests were sent, want none", after-before)
	}
}

// served is how many requests the embedded store has answered.
func served(t *testing.T, s server) int {
	t.Helper()
	resp, err := http.Get(s.url + "/rehearse/status")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var status map[string]int
	if err := json.NewDecoder(resp.Body).Decode(&status); err != nil {
		t.Fatal(err)
	}
	return status["served"]
}

// TestOtherAnswersAreErrors is asked by a server that is no Vault: what it
// answers may have any form, and none is a panic.
func TestOtherAnswersAreErrors(t *testing.T) {
	for _, body := range []string{`{}`, `{"data":{}}`, `{"data":{"data":{"a":1}}}`, `{"data":{"metadata":{}}}`, `{"auth":{}}`, `null`, ``, `[]`} {
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
		st, err := store.Existing(other.URL, "t", "rehearse-r1")
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := st.Get(t.Context(), "auth/key"); err == nil {
			t.Errorf("read, answered %q: got no error", body)
		}
		if _, err := st.Put(t.Context(), "auth/key", map[string]any{}, 0); err == nil {
			t.Errorf("write, answered %q: got no error", body)
		}
		if _, err := store.Open(t.Context(), store.Server{URL: other.URL, Token: "t"}, "r1"); err == nil {
			t.Errorf("open, answered %q: got no error", body)
		}
		other.Close()
	}
}

// TestOwnTokenIsOfTheMountOnly takes a run's own token out of its hands, and
// tries with it what a mistake of the harness might.
func TestOwnTokenIsOfTheMountOnly(t *testing.T) {
	onEach(t, func(t *testing.T, s server) {
		seen := &tokens{}
		proxy := httptest.NewServer(seen.before(t, s.url))
		t.Cleanup(proxy.Close)
		send(t, s, exchange{Method: "POST", Path: "sys/mounts/prod", Body: kv2})
		st, err := store.Open(t.Context(), store.Server{URL: proxy.URL, Token: s.root}, "r1")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := st.Put(t.Context(), "auth/key", map[string]any{"value": "x"}, 0); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the other mount is usable", func() bool {
			return send(t, s, exchange{Method: "POST", Path: "prod/data/db", Body: `{"data":{"a":1}}`}).Status == http.StatusOK
		})
		own := seen.of(http.MethodPut+" /v1/rehearse-r1/data/auth/key", http.MethodPost+" /v1/rehearse-r1/data/auth/key")
		if own == "" || own == s.root {
			t.Fatalf("the run writes with the token that it was given")
		}
		for _, e := range []struct {
			method, path, body string
			want               int
		}{
			{"GET", "rehearse-r1/data/auth/key", "", http.StatusOK},
			{"PUT", "sys/seal", "", http.StatusForbidden},
			{"GET", "prod/data/db", "", http.StatusForbidden},
			{"POST", "prod/data/db", `{"data":{}}`, http.StatusForbidden},
			{"DELETE", "rehearse-r1/data/auth/key", "", http.StatusForbidden},
			{"DELETE", "sys/mounts/prod", "", http.StatusForbidden},
			{"DELETE", "sys/mounts/rehearse-r1", "", http.StatusForbidden},
			{"POST", "auth/token/create", `{}`, http.StatusForbidden},
			{"GET", "sys/mounts", "", http.StatusForbidden},
		} {
			got := send(t, s, exchange{Method: e.method, Path: e.path, Body: e.body, Token: own})
			if got.Status != e.want {
				t.Errorf("%s %s with the run's own token: got %d, want %d", e.method, e.path, got.Status, e.want)
			}
		}
		if err := st.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := send(t, s, exchange{Method: "GET", Path: "auth/token/lookup-self", Token: own}); !strings.Contains(text(t, got), "invalid token") {
			t.Errorf("the run's own token after close: got %s, want invalid token", text(t, got))
		}
	})
}

// TestNothingOutsideIsTouched has the audit device of a server say what a whole
// part of a run asked for.
func TestNothingOutsideIsTouched(t *testing.T) {
	onEach(t, func(t *testing.T, s server) {
		lines := auditTo(t, s)
		st, err := store.Open(t.Context(), store.Server{URL: s.url, Token: s.root}, "r1")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range append(slices.Clone(hostile), "auth/key", "rehearse/keyring") {
			_, _, getting := st.Get(t.Context(), path)
			_, putting := st.Put(t.Context(), path, map[string]any{"value": "x"}, 0)
			if getting == nil && putting == nil {
				t.Errorf("%q was read and written", path)
			}
		}
		if _, err := st.Token(t.Context(), "checkout", "auth/key"); err != nil {
			t.Fatal(err)
		}
		// Of no effect where there is no engine for databases.
		_, _ = st.Adopt(t.Context(), world.StaticRole{Login: "orders", Database: "db"})
		if _, err := st.Version(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := st.Seal(t.Context()); !errors.Is(err, store.ErrOutside) {
			t.Errorf("seal a server that is not the run's: got %v, want %v", err, store.ErrOutside)
		}
		if err := st.EnableAudit(t.Context()); !errors.Is(err, store.ErrOutside) {
			t.Errorf("have a server audited that is not the run's: got %v, want %v", err, store.ErrOutside)
		}
		if err := st.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		allowed := []string{
			"sys/mounts/rehearse-r1", "sys/mounts/rehearse-r1-database", "sys/policies/acl/rehearse-r1", "sys/policies/acl/rehearse-r1-checkout",
			"auth/token/create", "auth/token/revoke-accessor", "sys/audit/test",
		}
		touched := lines()
		if !slices.ContainsFunc(touched, func(path string) bool { return strings.HasPrefix(path, "rehearse-r1/data/") }) {
			t.Fatalf("the audit device saw nothing of the run's mount: %q", touched)
		}
		for _, path := range touched {
			if !strings.HasPrefix(path, "rehearse-r1/") && !strings.HasPrefix(path, "rehearse-r1-database/") && !slices.Contains(allowed, path) {
				t.Errorf("touched %s, which is outside of the run's part", path)
			}
		}
	})
}

// auditTo enables an audit device, and returns what reads the paths of all
// requests from it, those refused included.
func auditTo(t *testing.T, s server) func() []string {
	t.Helper()
	file := "stdout"
	read := func() string { return s.log.String() }
	if strings.HasSuffix(t.Name(), "/vault") {
		file = filepath.Join(t.TempDir(), "audit")
		read = func() string {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
	}
	if got := send(t, s, exchange{Method: "PUT", Path: "sys/audit/test", Body: fmt.Sprintf(`{"type":"file","options":{"file_path":%q}}`, file)}); got.Status >= 300 {
		t.Fatalf("enable audit: %v", got)
	}
	return func() (paths []string) {
		for line := range strings.Lines(read()) {
			var l struct {
				Request struct{ Path string }
			}
			if json.Unmarshal([]byte(line), &l) == nil && l.Request.Path != "" {
				paths = append(paths, l.Request.Path)
			}
		}
		return paths
	}
}

// tokens are those with which requests came, by method and path.
type tokens struct{ by map[string]string }

// before is a server that passes everything on, and notes the tokens.
func (k *tokens) before(t *testing.T, url string) http.Handler {
	k.by = map[string]string{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.by[r.Method+" "+r.URL.Path] = r.Header.Get("X-Vault-Token")
		out, err := http.NewRequestWithContext(r.Context(), r.Method, url+r.URL.Path, r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		out.Header = r.Header
		resp, err := http.DefaultClient.Do(out)
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	})
}

func (k *tokens) of(requests ...string) string {
	for _, r := range requests {
		if token := k.by[r]; token != "" {
			return token
		}
	}
	return ""
}
