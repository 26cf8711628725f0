package store_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/store"
	"github.com/rehearse-dev/rehearse/harness/world"
)

func open(t *testing.T, s server, run string) *store.Store {
	t.Helper()
	opened, err := store.Open(t.Context(), s.ours(), run)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return opened
}

func TestGetPut(t *testing.T) {
	onEach(t, func(t *testing.T, s server) {
		st := open(t, s, "r1")
		if _, version, err := st.Get(t.Context(), "auth/key"); !errors.Is(err, world.ErrNotFound) || version != 0 {
			t.Errorf("read what was never written: got version %d, error %v; want 0, %v", version, err, world.ErrNotFound)
		}
		steps := []struct {
			name    string
			cas     int
			want    int
			wantErr error
		}{
			{name: "first over a version", cas: 3, wantErr: world.ErrConflict},
			{name: "first", cas: 0, want: 1},
			{name: "first again", cas: 0, wantErr: world.ErrConflict},
			{name: "second", cas: 1, want: 2},
			{name: "second again", cas: 1, wantErr: world.ErrConflict},
		}
		for _, step := range steps {
			got, err := st.Put(t.Context(), "auth/key", map[string]any{"by": step.name}, step.cas)
			if got != step.want || !errors.Is(err, step.wantErr) {
				t.Errorf("write %s: got version %d, error %v; want %d, %v", step.name, got, err, step.want, step.wantErr)
			}
		}
		data, version, err := st.Get(t.Context(), "auth/key")
		if want := map[string]any{"by": "second"}; err != nil || version != 2 || !maps.Equal(data, want) {
			t.Errorf("read: got %v, version %d, error %v; want %v, 2", data, version, err, want)
		}
	})
}

func TestDestroy(t *testing.T) {
	onEach(t, func(t *testing.T, s server) {
		st := open(t, s, "r1")
		for cas := range 2 {
			if _, err := st.Put(t.Context(), "auth/key", map[string]any{"value": "x"}, cas); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // a second time does no harm
			if err := st.Destroy(t.Context(), "auth/key", []int{2}); err != nil {
				t.Fatalf("destroy: %v", err)
			}
		}
		_, version, err := st.Get(t.Context(), "auth/key")
		if !errors.Is(err, world.ErrNotFound) || version != 2 {
			t.Errorf("read a destroyed version: got version %d, error %v; want 2, %v", version, err, world.ErrNotFound)
		}
		if got, err := st.Put(t.Context(), "auth/key", map[string]any{"value": "y"}, version); got != 3 || err != nil {
			t.Errorf("write over it: got version %d, error %v; want 3", got, err)
		}
		if err := st.Destroy(t.Context(), "auth/key", nil); err != nil {
			t.Errorf("destroy nothing: %v", err)
		}
	})
}

func TestEmptyValueIsThere(t *testing.T) {
	onEach(t, func(t *testing.T, s server) {
		st := open(t, s, "r1")
		if _, err := st.Put(t.Context(), "auth/key", map[string]any{}, 0); err != nil {
			t.Fatal(err)
		}
		if data, version, err := st.Get(t.Context(), "auth/key"); err != nil || version != 1 || len(data) != 0 {
			t.Errorf("read an empty value: got %v, version %d, error %v; want {}, 1", data, version, err)
		}
	})
}

func TestOpenKeepsRunsApart(t *testing.T) {
	onEach(t, func(t *testing.T, s server) {
		first, second := open(t, s, "r1"), open(t, s, "r2")
		if _, err := first.Put(t.Context(), "auth/key", map[string]any{"value": "x"}, 0); err != nil {
			t.Fatal(err)
		}
		if _, _, err := second.Get(t.Context(), "auth/key"); !errors.Is(err, world.ErrNotFound) {
			t.Errorf("read another run's path: got error %v, want %v", err, world.ErrNotFound)
		}
		if _, err := store.Open(t.Context(), s.ours(), "r1"); !errors.Is(err, store.ErrInUse) {
			t.Errorf("open a run twice: got error %v, want %v", err, store.ErrInUse)
		}
		if _, _, err := first.Get(t.Context(), "auth/key"); err != nil {
			t.Errorf("read after another tried to open the run: %v", err)
		}
	})
}

func TestOpenFails(t *testing.T) {
	s := startEmbedded(t)
	if _, err := store.Open(t.Context(), store.Server{URL: s.url, Token: "bad"}, "r1"); err == nil || !strings.Contains(err.Error(), "mount rehearse-r1") {
		t.Errorf("open with a bad token: got error %v, want one that says mount rehearse-r1", err)
	}
	if _, err := store.Open(t.Context(), store.Server{URL: "http://" + freeAddress(t), Token: s.root}, "r1"); err == nil {
		t.Error("open where nothing listens: got no error")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := store.Open(ended, s.ours(), "r1"); !errors.Is(err, context.Canceled) {
		t.Errorf("open with an ended context: got error %v, want %v", err, context.Canceled)
	}
}

// TestCloseLeavesNothing asks the server itself what is left of a run.
func TestCloseLeavesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, s server) {
		before := leftovers(t, s)
		st := open(t, s, "r1")
		token, err := st.Token(t.Context(), "checkout", "auth/key")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := st.Put(t.Context(), "auth/key", map[string]any{"value": "x"}, 0); err != nil {
			t.Fatal(err)
		}
		if during := leftovers(t, s); during == before {
			t.Fatalf("the run shows nowhere: got %s", during)
		}
		for range 2 { // a second time does no harm
			if err := st.Close(t.Context()); err != nil {
				t.Fatalf("close: %v", err)
			}
		}
		if after := leftovers(t, s); after != before {
			t.Errorf("left behind: got %s, want %s", after, before)
		}
		if got := send(t, s, exchange{Method: "GET", Path: "auth/token/lookup-self", Token: token}); !strings.Contains(text(t, got), "invalid token") {
			t.Errorf("the reader's token after close: got %s, want invalid token", text(t, got))
		}
	})
}

// What a harness that died had mounted beside its secrets goes too.
func TestCloseUnmountsWhatAnotherMounted(t *testing.T) {
	onEach(t, func(t *testing.T, s server) {
		before := leftovers(t, s)
		open(t, s, "r1")
		// That an engine is one for databases makes no difference to its removal,
		// and the embedded store has none.
		send(t, s, exchange{Method: "POST", Path: "sys/mounts/rehearse-r1-database", Body: kv2})
		st, err := store.Attach(t.Context(), s.ours(), "r1", store.ReadersPart("r1", "checkout"))
		if err != nil {
			t.Fatal(err)
		}
		if err := st.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if after := leftovers(t, s); after != before {
			t.Errorf("left behind: got %s, want %s", after, before)
		}
	})
}

// leftovers is what a server says of mounts and policies.
func leftovers(t *testing.T, s server) string {
	t.Helper()
	return text(t, send(t, s, exchange{Method: "GET", Path: "sys/mounts"})) + text(t, send(t, s, exchange{Method: "LIST", Path: "sys/policies/acl"}))
}

func TestPath(t *testing.T) {
	st := open(t, startEmbedded(t), "r1")
	tests := []struct{ name, page, below, want string }{
		{"as on a page", "secret/data/auth/key", "auth/key", "rehearse-r1/data/auth/key"},
		{"deep mount", "team/kv/data/key", "key", "rehearse-r1/data/key"},
		{"data again in the path", "secret/data/a/data/b", "a/data/b", "rehearse-r1/data/a/data/b"},
		{"another form", "/secret/auth/key/", "secret/auth/key", "rehearse-r1/data/secret/auth/key"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := store.Below(test.page); got != test.below {
				t.Errorf("Below(%q): got %q, want %q", test.page, got, test.below)
			}
			if got := st.Path(test.page); got != test.want {
				t.Errorf("Path(%q): got %q, want %q", test.page, got, test.want)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	onEach(t, func(t *testing.T, s server) {
		got, err := open(t, s, "r1").Version(t.Context())
		want := "embedded"
		if strings.HasSuffix(t.Name(), "/vault") {
			want = "vault 1."
		}
		if err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("got %q, error %v; want %q", got, err, want)
		}
	})
}

// TestIgnoresEnvironment sets what the vault command would use.
func TestIgnoresEnvironment(t *testing.T) {
	s := startEmbedded(t)
	t.Setenv("VAULT_ADDR", "http://"+freeAddress(t))
	t.Setenv("VAULT_TOKEN", "a-token-of-production")
	t.Setenv("VAULT_NAMESPACE", "production")
	t.Setenv("VAULT_HEADERS", `{"X-Production":"yes"}`)
	t.Setenv("VAULT_PROXY_ADDR", "http://"+freeAddress(t))
	t.Setenv("VAULT_CLIENT_TIMEOUT", "7")
	t.Setenv("HTTP_PROXY", "http://"+freeAddress(t))
	open(t, s, "r1")

	t.Setenv("VAULT_CLIENT_TIMEOUT", "bananas")
	if _, err := store.Open(t.Context(), s.ours(), "r2"); err == nil || !strings.Contains(err.Error(), "VAULT_") {
		t.Errorf("a malformed variable: got error %v, want one that names VAULT_*", err)
	}
	if err := store.ForgetEnvironment(); err != nil {
		t.Fatal(err)
	}
	open(t, s, "r3")
}

func TestReaderReadsItsOwn(t *testing.T) {
	onEach(t, func(t *testing.T, s server) {
		st := open(t, s, "r1")
		for _, path := range []string{"auth/key", "auth/other"} {
			if _, err := st.Put(t.Context(), path, map[string]any{"value": "x"}, 0); err != nil {
				t.Fatal(err)
			}
		}
		token, err := st.Token(t.Context(), "checkout", "auth/key")
		if err != nil {
			t.Fatal(err)
		}
		tests := []struct {
			name, method, path string
			want               int
		}{
			{"its path", "GET", "rehearse-r1/data/auth/key", http.StatusOK},
			{"another path", "GET", "rehearse-r1/data/auth/other", http.StatusForbidden},
			{"write", "POST", "rehearse-r1/data/auth/key", http.StatusForbidden},
			{"delete", "DELETE", "rehearse-r1/data/auth/key", http.StatusForbidden},
			{"list", "LIST", "rehearse-r1/metadata/auth", http.StatusForbidden},
			{"make tokens", "POST", "auth/token/create", http.StatusForbidden},
		}
		for _, test := range tests {
			e := exchange{Name: test.name, Method: test.method, Path: test.path, Token: token}
			if test.method == "POST" {
				e.Body = `{"data":{}}`
			}
			if got := send(t, s, e).Status; got != test.want {
				t.Errorf("%s: got %d, want %d", test.name, got, test.want)
			}
		}
		if _, err := st.Token(t.Context(), "idle"); err == nil {
			t.Error("a token that may read nothing: got no error")
		}
	})
}
