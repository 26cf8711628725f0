package standin

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestTurns gives requests to replicas in turns, and those of one that is gone to the next.
func TestTurns(t *testing.T) {
	t.Parallel()
	var to []string
	answered := make([]int, 3)
	for i := range 3 {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			answered[i]++
			fmt.Fprintf(w, "%s %s", r.Host, body)
		}))
		defer server.Close()
		to = append(to, server.Listener.Addr().String())
	}
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	turns := newRoundRobin(append(to, gone.Addr().String()))
	defer turns.CloseIdleConnections()
	ask := func() (string, error) {
		req := httptest.NewRequest(http.MethodPost, "http://replicas/", strings.NewReader("body"))
		req.Host = "shop:8080"
		resp, err := turns.RoundTrip(req)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		said, err := io.ReadAll(resp.Body)
		return string(said), err
	}
	for range 12 {
		if said, err := ask(); err != nil || said != "shop:8080 body" {
			t.Errorf("got %q, %v", said, err)
		}
	}
	for i, n := range answered {
		if n < 3 {
			t.Errorf("replica %d answered %d of 12 requests, want its share", i, n)
		}
	}
	turns.to = turns.to[3:]
	if _, err := ask(); err == nil {
		t.Error("a request is answered with no replica there")
	}
}
