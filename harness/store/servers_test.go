package store_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	embedded "github.com/rehearse-dev/rehearse/fakes/store"
	"github.com/rehearse-dev/rehearse/harness/store"
)

// server is a running store: the embedded one, or a real Vault.
type server struct {
	url, root string
	log       *lockedBuffer
}

// ours is the server as one that a run started itself.
func (s server) ours() store.Server { return store.Server{URL: s.url, Token: s.root, Ours: true} }

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// onEach runs a test against the embedded store and against a real Vault.
func onEach(t *testing.T, test func(*testing.T, server)) {
	t.Run("embedded", func(t *testing.T) { test(t, startEmbedded(t)) })
	t.Run("vault", func(t *testing.T) { test(t, startVault(t)) })
}

func startEmbedded(t *testing.T) server {
	log := &lockedBuffer{}
	s := httptest.NewServer(embedded.New("the-root-token", log))
	t.Cleanup(s.Close)
	return server{url: s.URL, root: "the-root-token", log: log}
}

// startVault starts Vault as VaultSpec describes it. Without a binary the test
// is skipped, and fails where REHEARSE_REQUIRE_VAULT says that it must not be.
func startVault(t *testing.T) server {
	binary, err := store.FindVault()
	if errors.Is(err, store.ErrNoVault) && os.Getenv("REHEARSE_REQUIRE_VAULT") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	// Another process may take the port, or the one above it, which Vault
	// takes for its cluster, before Vault does.
	for range 3 {
		address := freeAddress(t)
		log := &lockedBuffer{}
		start(t, binary, address, log)
		root, err := initialise(t, "http://"+address)
		if err == nil {
			return server{url: "http://" + address, root: root, log: log}
		}
		t.Logf("vault at %s: %v\n%s", address, err, log)
	}
	t.Fatal("vault did not start in three attempts")
	return server{}
}

// initialise waits until Vault listens, and initialises it.
func initialise(t *testing.T, url string) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(url, "http://"))
		if err == nil {
			if err := c.Close(); err != nil {
				return "", err
			}
			keys, err := store.Initialise(ctx, url)
			return keys.Root, err
		}
		select {
		case <-ctx.Done():
			return "", errors.Join(ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// start runs Vault until the test ends.
func start(t *testing.T, binary, address string, log *lockedBuffer) {
	spec := store.VaultSpec("store", "", binary)
	cmd := exec.Command(spec.Command[0], spec.Command[1:]...)
	cmd.Env = []string{"VAULT_DEV_LISTEN_ADDRESS=" + address, "HOME=" + t.TempDir()}
	if !slices.Contains(cmd.Args, "-dev-no-store-token") {
		t.Fatalf("Vault would write its token into a file: %q", cmd.Args)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", binary, err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("stop vault: %v", err)
		}
		// Killed: its error says so and nothing else.
		_ = cmd.Wait()
	})
}

func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	return l.Addr().String()
}

// eventually polls until a condition holds, for at most ten seconds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("%s: not after 10 s", what)
		case <-tick.C:
		}
	}
}
