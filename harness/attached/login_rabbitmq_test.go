package attached

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// TestRabbitMQThatEndsAConnection: a broker that goes down while somebody logs in refuses nothing,
// though the library takes it for a wrong password.
func TestRabbitMQThatEndsAConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		// connection.start, with the mechanism PLAIN and the locale en_US
		body := "\x00\x0a\x00\x0a\x00\x09\x00\x00\x00\x00\x00\x00\x00\x05PLAIN\x00\x00\x00\x05en_US"
		header := make([]byte, 8)
		_, _ = conn.Read(header)
		_, _ = conn.Write([]byte("\x01\x00\x00\x00\x00\x00" + string(rune(len(body))) + body + "\xce"))
		_, _ = conn.Read(make([]byte, 4096))
		_ = conn.Close()
	}()
	conn, status, err := rabbitMQServer{}.open(t.Context(), "amqp://one:secret@"+l.Addr().String()+"/")
	if conn != nil || status != noAnswer || err != nil {
		t.Errorf("got %v, %q and %v, want no answer", conn, status, err)
	}
	_ = l.Close()
	<-done
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := (rabbitMQServer{}).open(cancelled, "amqp://one:secret@127.0.0.1:1/"); err == nil {
		t.Error("a probe that is cancelled has an outcome")
	}
	for dsn, want := range map[string]string{"amqp://a%40b:c@mq/": "a@b", "http://a:b@mq/": ""} {
		if user, err := (rabbitMQServer{}).user(dsn); user != want || err != nil && strings.Contains(err.Error(), "a:b") {
			t.Errorf("%s: got %q and %v, want %q", dsn, user, err, want)
		}
	}
}

func TestListOfRabbitMQ(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "observer" || password != "p@ss" || r.URL.Path != "/api/connections" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(`[{"name": "10.0.0.1:4 -> 10.0.0.2:5672", "user": "one", "user_provided_name": "shop"}, {"name": "10.0.0.1:5 -> 10.0.0.2:5672", "user": "two"},
			{"name": "10.0.0.1:6 -> 10.0.0.2:5672", "user": "one"}]`))
	}))
	defer api.Close()
	got, err := listRabbitMQ(t.Context(), strings.Replace(api.URL, "//", "//observer:p%40ss@", 1), "one")
	want := []peerConnection{{process: "10.0.0.1:4 -> 10.0.0.2:5672", name: "shop"}, {process: "10.0.0.1:6 -> 10.0.0.2:5672"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v and %v, want %v", got, err, want)
	}
	if _, err := listRabbitMQ(t.Context(), strings.Replace(api.URL, "//", "//observer:wrong@", 1), "one"); err == nil || !strings.Contains(err.Error(), "401") || strings.Contains(err.Error(), "wrong") {
		t.Errorf("who may not ask: got %v, want the status and no password", err)
	}
}
