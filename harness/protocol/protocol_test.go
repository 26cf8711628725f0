package protocol

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// served is a server of grpc-go that checks who calls, and what it was told in the last call.
func served(t *testing.T) (address string, said *string) {
	t.Helper()
	said = new(string)
	server := grpc.NewServer(grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		md, _ := metadata.FromIncomingContext(ctx)
		*said = req.(*grpc_health_v1.HealthCheckRequest).Service
		switch strings.Join(md.Get("authorization"), "") {
		case "Bearer good":
			return next(ctx, req)
		case "Bearer lost":
			return nil, status.Error(codes.PermissionDenied, "no right to this")
		}
		return nil, status.Error(codes.Unauthenticated, "unknown key")
	}))
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return "http://" + l.Addr().String(), said
}

func TestUnaryCalls(t *testing.T) {
	base, said := served(t)
	client := &http.Client{Transport: GRPC.Wire(&http.Transport{}, 1<<20)}
	defer client.CloseIdleConnections()
	for _, tt := range []struct {
		name, method, bearer, message string
		want                          int
	}{
		{"taken", "/grpc.health.v1.Health/Check", "good", "", http.StatusOK},
		{"refused", "/grpc.health.v1.Health/Check", "bad", "", http.StatusUnauthorized},
		{"without the right", "/grpc.health.v1.Health/Check", "lost", "", http.StatusForbidden},
		{"with a message", "/grpc.health.v1.Health/Check", "good", "CgRzaG9w", http.StatusNotFound}, // of service shop, which it does not know
		{"no such method", "/grpc.health.v1.Health/Pay", "good", "", http.StatusNotImplemented},
	} {
		*said = ""
		body, err := GRPC.Body(tt.message)
		if err != nil {
			t.Fatalf("%s: body: %v", tt.name, err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+tt.method, strings.NewReader(string(body)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+tt.bearer)
		resp, err := client.Do(req)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Errorf("%s: read the answer: %v", tt.name, err)
		}
		if resp.StatusCode != tt.want || resp.Proto != "HTTP/2.0" {
			t.Errorf("%s: got %d by %s, want %d by HTTP/2.0", tt.name, resp.StatusCode, resp.Proto, tt.want)
		}
		if tt.message != "" && *said != "shop" {
			t.Errorf("%s: the server was told %q, want shop", tt.name, *said)
		}
	}
	if _, err := GRPC.Body("{}"); err == nil {
		t.Error("a message that is not base64: got no error")
	}
}

// TestHTTP2 is spoken with and without TLS, and to nobody who does not speak it.
func TestHTTP2(t *testing.T) {
	for _, tt := range []struct {
		name           string
		encrypted, two bool
		want           string // the protocol of the answer; empty: none comes
	}{
		{"without TLS", false, true, "HTTP/2.0"},
		{"with TLS", true, true, "HTTP/2.0"},
		{"of HTTP/1.1 alone", false, false, ""},
		{"of HTTP/1.1 alone, with TLS", true, false, ""},
	} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
		var speaks http.Protocols
		speaks.SetHTTP1(!tt.two)
		speaks.SetHTTP2(tt.two)
		speaks.SetUnencryptedHTTP2(tt.two)
		server.Config.Protocols = &speaks
		server.EnableHTTP2 = tt.two
		if tt.encrypted {
			server.StartTLS()
		} else {
			server.Start()
		}
		transport := &http.Transport{}
		if tt.encrypted {
			transport.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
			transport.TLSClientConfig.NextProtos = nil
		}
		client := &http.Client{Transport: HTTP2.Wire(transport, 1<<20)}
		got := ""
		if resp, err := client.Get(server.URL); err == nil {
			got = resp.Proto
			resp.Body.Close()
		}
		if got != tt.want {
			t.Errorf("%s: got an answer by %q, want %q", tt.name, got, tt.want)
		}
		client.CloseIdleConnections()
		server.Close()
	}
}
