package load

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// sender is the transport of one client whose tokens come from issue, with
// everything that it counts into.
func sender(t *testing.T, config ClientConfig, issue func(*traffic) (*token, error)) (*traffic, *transport) {
	t.Helper()
	whole := Config{Clients: []ClientConfig{config}}
	whole.fill()
	traffic := newTraffic(whole, slog.New(slog.DiscardHandler))
	c := traffic.clients[0]
	t.Cleanup(c.wire.CloseIdleConnections)
	if issue == nil {
		if err := traffic.firstTokens(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		return traffic, traffic.transport(c)
	}
	fetch := func(context.Context, string) (*token, error) { return issue(traffic) }
	c.sessions = newSessions(c.config, traffic.clock, fetch)
	for _, s := range c.sessions {
		if _, err := s.renew(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	return traffic, traffic.transport(c)
}

// tokenOf is a token under a kid that is presented as its kid and does not run out.
func tokenOf(traffic *traffic, kid string) *token {
	c := traffic.clients[0].config
	return &token{
		header: c.header(kid), kid: kid, cell: traffic.cells.cell(c.Name, c.To, kid),
		renewAt: math.MaxInt64, unusable: math.MaxInt64,
	}
}

// send sends one request as vegeta does.
func send(t *testing.T, sender *transport) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), sender.client.Method, sender.client.target(), strings.NewReader(sender.client.Body))
	if err != nil {
		t.Fatal(err)
	}
	return sender.RoundTrip(req)
}

// counted is what the final batch says.
func counted(t *testing.T, traffic *traffic) Batch {
	t.Helper()
	traffic.flush(true)
	batches, _ := traffic.out.after(0)
	if len(batches) != 1 {
		t.Fatalf("got %d batches; want one", len(batches))
	}
	return batches[0]
}

func TestRefusedTokenIsRenewedAndTriedAgain(t *testing.T) {
	for _, test := range []struct {
		name      string
		onRefusal OnRefusal
		renewal   error
		accepts   string // the kid that the validator takes
		status    int    // of the last answer
		want      map[string]Counts
		totals    history.Totals
	}{
		{
			"renewed and taken", Renew, nil, "k2", 200,
			map[string]Counts{"k1": {Attempts: 1, AuthFailures: 1}, "k2": {Retries: 1, RetriesOK: 1}},
			history.Totals{Sent: 2, Retried: 1, Recorded: 2},
		}, {
			"renewed and refused", Renew, nil, "none", 401,
			map[string]Counts{"k1": {Attempts: 1, AuthFailures: 1}, "k2": {Retries: 1}},
			history.Totals{Sent: 2, Retried: 1, Recorded: 2},
		}, {
			"not renewed", Renew, errors.New("issuer is down"), "k2", 401,
			map[string]Counts{"k1": {Attempts: 1, AuthFailures: 1}},
			history.Totals{Sent: 1, Recorded: 1},
		}, {
			"kept", Keep, nil, "k2", 401,
			map[string]Counts{"k1": {Attempts: 1, AuthFailures: 1}},
			history.Totals{Sent: 1, Recorded: 1},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			validator := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil || string(body) != "charge" {
					t.Errorf("got body %q, %v; want that of the client in each attempt", body, err)
				}
				if r.Header.Get("Authorization") != "Bearer "+test.accepts {
					w.WriteHeader(http.StatusUnauthorized)
				}
			}))
			defer validator.Close()
			issued := 0
			traffic, sender := sender(t, ClientConfig{
				Name: "web", To: "checkout", URL: validator.URL, Method: http.MethodPost, Body: "charge",
				Token: &TokenConfig{OnRefusal: test.onRefusal},
			}, func(traffic *traffic) (*token, error) {
				if issued++; issued == 1 {
					return tokenOf(traffic, "k1"), nil
				}
				return tokenOf(traffic, "k2"), test.renewal
			})
			resp, err := send(t, sender)
			if err != nil || resp.StatusCode != test.status {
				t.Fatalf("got %v, %v; want status %d", resp, err, test.status)
			}
			batch := counted(t, traffic)
			if batch.Totals != test.totals {
				t.Errorf("got totals %+v; want %+v", batch.Totals, test.totals)
			}
			got := map[string]Counts{}
			for _, c := range batch.Counts {
				got[c.Credential] = Counts{
					Attempts: c.Attempts, AuthFailures: c.AuthFailures, Retries: c.Retries, RetriesOK: c.RetriesOK,
				}
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v; want %+v", got, test.want)
			}
		})
	}
}

func TestExpiredTokenIsHeldBack(t *testing.T) {
	validator := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the expired token was sent; want its request held back")
	}))
	defer validator.Close()
	traffic, sender := sender(t, ClientConfig{Name: "web", To: "checkout", URL: validator.URL, Token: &TokenConfig{}},
		func(traffic *traffic) (*token, error) {
			expired := tokenOf(traffic, "k1")
			expired.unusable = traffic.clock.now()
			return expired, nil
		})
	for range 3 {
		if _, err := send(t, sender); !errors.Is(err, errHeldBack) {
			t.Fatalf("got %v; want %v", err, errHeldBack)
		}
	}
	batch := counted(t, traffic)
	if want := (history.Totals{NotSent: 3}); batch.Totals != want {
		t.Errorf("got totals %+v; want %+v", batch.Totals, want)
	}
	if len(batch.Counts) != 0 {
		t.Errorf("counted %+v; want no attempt", batch.Counts)
	}
	if len(batch.Sessions) != 1 || batch.Sessions[0].Count != 3 || batch.Sessions[0].Session != "web-1" {
		t.Errorf("got session records %+v; want one of web-1 with count 3", batch.Sessions)
	}
}

func TestSessionsTakeTurns(t *testing.T) {
	validator := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer validator.Close()
	traffic, sender := sender(t, ClientConfig{Name: "web", To: "checkout", URL: validator.URL, Sessions: 3}, nil)
	for range 7 {
		if _, err := send(t, sender); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]int64{}
	for _, c := range counted(t, traffic).Counts {
		for session, n := range c.FailedSessions {
			got[session] += n
		}
	}
	if want := map[string]int64{"web-1": 3, "web-2": 2, "web-3": 2}; !reflect.DeepEqual(got, want) {
		t.Errorf("auth failures by session: got %v; want %v", got, want)
	}
}

func TestRequestIsAsConfigured(t *testing.T) {
	validator := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := []string{r.Method, r.Host, r.URL.String(), r.UserAgent(), r.Header.Get("X-Tenant"), r.Header.Get("Authorization"), r.Header.Get("X-Vegeta-Seq")}
		want := []string{"PUT", "shop.test", "/orders?x=1", "rehearse-load/web", "a", "", ""}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got request %q; want %q", got, want)
		}
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}))
	defer validator.Close()
	config := ClientConfig{
		Name: "web", To: "checkout", URL: validator.URL + "/", Method: http.MethodPut, Path: "/orders?x=1", Rate: 1e-9,
		Headers: map[string]string{"host": "shop.test", "x-tenant": "a"},
	}
	traffic, sender := sender(t, config, nil)
	attack := startAttack(sender.client, sender) // one request at once, the next in 30 years
	eventually(t, "the first request is decided", func() bool { return traffic.totals.sent.Load() == 1 })
	attack.stop()
	<-attack.drained
	if got := counted(t, traffic).Counts[0].Statuses; !reflect.DeepEqual(got, map[string]int64{"302": 1}) {
		t.Errorf("got statuses %v; want one redirect that is not followed", got)
	}
}

// eventually waits until a condition holds, and says what it waited for when it does not.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("waited 10s until %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// listen answers each connection on loopback with f.
func listen(t *testing.T, f func(net.Conn)) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			f(conn)
		}
	}()
	return "http://" + l.Addr().String()
}

func TestAttemptsWithoutAnAnswer(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	held := make(chan net.Conn, 8)
	t.Cleanup(func() {
		close(held)
		for conn := range held {
			_ = conn.Close()
		}
	})
	say := func(conn net.Conn, text string) {
		_, _ = io.ReadAtLeast(conn, make([]byte, 4096), 16)
		_, _ = io.WriteString(conn, text)
		_ = conn.Close()
	}
	for _, test := range []struct {
		name, url, status string
	}{
		{"nobody listens", "http://" + closed.Addr().String(), "refused"},
		{"no answer in time", listen(t, func(conn net.Conn) { held <- conn }), "timeout"},
		{"body does not end in time", listen(t, func(conn net.Conn) {
			_, _ = io.ReadAtLeast(conn, make([]byte, 4096), 16)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
			held <- conn
		}), "timeout"},
		{"closed before the answer", listen(t, func(conn net.Conn) { say(conn, "") }), "reset"},
		{"closed in the body", listen(t, func(conn net.Conn) {
			say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
		}), "reset"},
		{"not HTTP", listen(t, func(conn net.Conn) { say(conn, "SSH-2.0-x\r\n\r\n") }), "error"},
	} {
		t.Run(test.name, func(t *testing.T) {
			traffic, sender := sender(t, ClientConfig{
				Name: "web", To: "checkout", URL: test.url, Timeout: Duration(300 * time.Millisecond),
			}, nil)
			if resp, err := send(t, sender); err == nil {
				t.Fatalf("got status %d; want an error", resp.StatusCode)
			}
			batch := counted(t, traffic)
			if want := (history.Totals{Sent: 1, Unanswered: 1, Recorded: 1}); batch.Totals != want {
				t.Errorf("got totals %+v; want %+v", batch.Totals, want)
			}
			c := batch.Counts[0]
			if c.Unavailable != 1 || c.Statuses[test.status] != 1 {
				t.Errorf("got %d unavailable, statuses %v; want one %s", c.Unavailable, c.Statuses, test.status)
			}
		})
	}
}

// A request that net/http sends again by itself was lost once: it must not
// look like one attempt that succeeded.
func TestReplayOfALostRequestIsARetry(t *testing.T) {
	connections := 0
	url := listen(t, func(conn net.Conn) {
		connections++
		answers := 1 // the first connection loses its second request
		if connections > 1 {
			answers = 2
		}
		go func() {
			defer conn.Close()
			for range answers {
				if _, err := conn.Read(make([]byte, 4096)); err != nil {
					return
				}
				_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
			}
			_, _ = conn.Read(make([]byte, 4096))
		}()
	})
	traffic, sender := sender(t, ClientConfig{Name: "web", To: "checkout", URL: url}, nil)
	for range 2 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sender.RoundTrip(req); err != nil {
			t.Fatal(err)
		}
	}
	batch := counted(t, traffic)
	if want := (history.Totals{Sent: 3, Retried: 1, Unanswered: 1, Recorded: 3}); batch.Totals != want {
		t.Errorf("got totals %+v; want %+v", batch.Totals, want)
	}
	var sum Counts
	for _, c := range batch.Counts {
		sum.OK, sum.Unavailable, sum.RetriesOK = sum.OK+c.OK, sum.Unavailable+c.Unavailable, sum.RetriesOK+c.RetriesOK
	}
	if sum.OK != 1 || sum.Unavailable != 1 || sum.RetriesOK != 1 {
		t.Errorf("got %d ok, %d unavailable, %d retries ok; want one of each", sum.OK, sum.Unavailable, sum.RetriesOK)
	}
}

// A token that runs out while its request waits is not refused for its key.
func TestTokenThatRanOutOnTheWay(t *testing.T) {
	for _, test := range []struct {
		name  string
		left  time.Duration // until it is unusable, when it is sent
		wants Counts
	}{
		{"in time", time.Hour, Counts{Attempts: 1, AuthFailures: 1, Statuses: map[string]int64{"401": 1}}},
		{"run out", 0, Counts{Attempts: 1, HarnessErrors: 1, Statuses: map[string]int64{"expired": 1}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var late *token
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if test.left == 0 {
					late.unusable = 0 // while the transport waits for this answer
				}
				w.WriteHeader(http.StatusUnauthorized)
			}))
			t.Cleanup(server.Close)
			traffic, sender := sender(t, ClientConfig{
				Name: "web", To: "checkout", URL: server.URL, Rate: 1, Token: &TokenConfig{URL: server.URL, Life: Duration(time.Hour)},
			}, func(traffic *traffic) (*token, error) {
				late = tokenOf(traffic, "k1")
				return late, nil
			})
			if _, err := send(t, sender); err != nil {
				t.Fatal(err)
			}
			got := counted(t, traffic).Counts[0]
			if got.Attempts != test.wants.Attempts || got.AuthFailures != test.wants.AuthFailures ||
				got.HarnessErrors != test.wants.HarnessErrors || !reflect.DeepEqual(got.Statuses, test.wants.Statuses) {
				t.Errorf("got %d attempts, %d auth failures, %d of our own, %v; want %+v",
					got.Attempts, got.AuthFailures, got.HarnessErrors, got.Statuses, test.wants)
			}
		})
	}
}
