package standin

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// startProxy runs a proxy in front of a handler and returns its address.
func startProxy(t *testing.T, origin http.Handler) string {
	t.Helper()
	server := httptest.NewServer(origin)
	t.Cleanup(server.Close)
	return startProxyTo(t, strings.TrimPrefix(server.URL, "http://"))
}

// startProxyTo runs one in front of an address.
func startProxyTo(t *testing.T, to string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() {
		ended <- ServeProxy(ctx, []byte(`{"name":"p","to":"`+to+`","token":"let-me"}`), listener, io.Discard)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("proxy: %v", err)
		}
	})
	return "http://" + listener.Addr().String()
}

// tellProxy calls the proxy's own API and returns the status.
func tellProxy(t *testing.T, base, method, path, token string, body any) int {
	t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, base+contract.ProxyPath+path, bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	req.Close = true // a connection is either the proxy's own or passed on
	resp, err := standintest.Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// askThrough makes a request over a new connection; "" means that nothing came
// within the time.
func askThrough(t *testing.T, base, body string, within time.Duration) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/echo", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	resp, err := standintest.Client.Do(req)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return ""
	}
	return string(answer)
}

func echo(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(w, r.Body) // an error is that of a client that left
}

func TestProxyPassesOn(t *testing.T) {
	base := startProxy(t, http.HandlerFunc(echo))
	if status := tellProxy(t, base, http.MethodGet, "healthz", "", nil); status != http.StatusOK {
		t.Errorf("health of the proxy itself: got %d, want 200", status)
	}
	long := strings.Repeat("a long one ", 100_000) // longer than what is read to tell what it is
	if got := askThrough(t, base, long, standintest.Patience); got != long {
		t.Errorf("got %d bytes back, want the %d that were sent", len(got), len(long))
	}
}

// TestProxyPassesOnSilence: a client whose server speaks first is passed on too.
func TestProxyPassesOnSilence(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		if conn, err := server.Accept(); err == nil { // none: the test has ended
			_, _ = io.WriteString(conn, "welcome")
			conn.Close()
		}
	}()
	conn, err := net.Dial("tcp", strings.TrimPrefix(startProxyTo(t, server.Addr().String()), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(standintest.Patience)); err != nil {
		t.Fatal(err)
	}
	if said, err := io.ReadAll(conn); err != nil || string(said) != "welcome" {
		t.Errorf("got %q, %v, want what the server said first", said, err)
	}
}

func TestProxyIsDisturbed(t *testing.T) {
	base := startProxy(t, http.HandlerFunc(echo))
	toxic := map[string]any{"name": "t", "type": "timeout", "stream": "upstream", "attributes": map[string]any{"timeout": 0}}
	if status := tellProxy(t, base, http.MethodPost, "proxies/edge/toxics", "", toxic); status != http.StatusUnauthorized {
		t.Errorf("without the token: got %d, want 401", status)
	}
	if got := askThrough(t, base, "x", standintest.Patience); got != "x" {
		t.Fatalf("before: got %q, want an answer", got)
	}
	if status := tellProxy(t, base, http.MethodPost, "proxies/edge/toxics", "let-me", toxic); status != http.StatusOK {
		t.Fatalf("with the token: got %d, want 200", status)
	}
	if got := askThrough(t, base, "x", 200*time.Millisecond); got != "" {
		t.Errorf("while nothing is let through: got %q, want no answer", got)
	}
	if status := tellProxy(t, base, http.MethodDelete, "proxies/edge/toxics/t", "let-me", nil); status != http.StatusNoContent {
		t.Errorf("undo: got %d, want 204", status)
	}
	if got := askThrough(t, base, "x", standintest.Patience); got != "x" {
		t.Errorf("after: got %q, want an answer", got)
	}
}

func TestProxyRefusesItsConfiguration(t *testing.T) {
	for _, config := range []string{`{}`, `{"name":"p","to":"127.0.0.1:1"}`, `{"name":"p","to":"127.0.0.1:1","token":"t","more":1}`} {
		if err := ServeProxy(t.Context(), []byte(config), nil, io.Discard); err == nil {
			t.Errorf("%s: got no error", config)
		}
	}
}
