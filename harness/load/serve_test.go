package load

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
)

const secretPart = "secret-part-of-a-token"

// stage is an issuer and a validator that a test can turn off.
type stage struct {
	*httptest.Server
	kid       atomic.Value // that the issuer puts into tokens
	refused   atomic.Value // the kid that the validator refuses
	issuerOff atomic.Bool
	served    atomic.Int64
	expiresIn atomic.Int64 // seconds
	slow      atomic.Int64 // nanoseconds a request takes
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{}
	s.kid.Store("k1")
	s.refused.Store("none")
	s.expiresIn.Store(60)
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/token" {
		if s.issuerOff.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, secretPart)
			return
		}
		kid := s.kid.Load().(string)
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": kid + "." + secretPart, "expires_in": s.expiresIn.Load(), "kid": kid})
		return
	}
	time.Sleep(time.Duration(s.slow.Load())) // how slow a service is, not a wait
	s.served.Add(1)
	kid, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), ".")
	if kid == s.refused.Load().(string) {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token", error_description="`+r.Header.Get("Authorization")+`"`)
		w.WriteHeader(http.StatusUnauthorized)
	}
}

// logBuffer is a log that can be read when its service has ended.
type logBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

// serve runs a load service for the test and returns a client and its log.
func serve(t *testing.T, config Config) (*Client, *logBuffer) {
	t.Helper()
	return serveTo(t, "", config)
}

// serveTo runs one that only a token starts and stops.
func serveTo(t *testing.T, token string, config Config) (*Client, *logBuffer) {
	t.Helper()
	config.Clients = slices.Clone(config.Clients)
	for i := range config.Clients {
		if config.Clients[i].Timeout == 0 {
			config.Clients[i].Timeout = Duration(time.Minute) // so that a busy machine makes nobody give up
		}
	}
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	log := &logBuffer{}
	ctx, cancel := context.WithCancel(contract.WithControl(context.Background(), token))
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, data, l, log) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("service ended with %v; want nil", err)
		}
		if strings.Contains(log.String(), secretPart) {
			t.Errorf("the log holds a part of a token: %s", log)
		}
	})
	return &Client{URL: "http://" + l.Addr().String(), Token: token}, log
}

// soFar is what the service has counted so far.
func soFar(t *testing.T, client *Client) history.Totals {
	t.Helper()
	resp, err := client.do(t.Context(), http.MethodGet, "/rehearse/status")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var totals history.Totals
	if err := json.NewDecoder(resp.Body).Decode(&totals); err != nil {
		t.Fatal(err)
	}
	return totals
}

// collect streams everything until the final batch, in the background.
func collect(t *testing.T, client *Client) func() []Batch {
	t.Helper()
	var batches []Batch
	done := make(chan error, 1)
	go func() {
		done <- client.Stream(t.Context(), func(b Batch) error {
			batches = append(batches, b)
			return nil
		})
	}()
	return func() []Batch {
		t.Helper()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		return batches
	}
}

func sum(batches []Batch) (total Counts) {
	for _, b := range batches {
		for _, c := range b.Counts {
			total.Attempts += c.Attempts
			total.OK += c.OK
			total.AuthFailures += c.AuthFailures
			total.Unavailable += c.Unavailable
			total.Retries += c.Retries
			total.RetriesOK += c.RetriesOK
		}
	}
	return total
}

// checkTotals holds the identities that accounting is built on.
func checkTotals(t *testing.T, totals history.Totals, batches []Batch, served int64) {
	t.Helper()
	last := batches[len(batches)-1]
	if !last.Final || last.Totals != totals {
		t.Errorf("last batch has final=%v, totals %+v; want the final one with the %+v that stop answered", last.Final, last.Totals, totals)
	}
	if got := totals.Sent - totals.Retried + totals.NotSent + totals.Behind; totals.Scheduled != got {
		t.Errorf("scheduled %d, but sent - retried + not sent + behind is %d: %+v; want them equal", totals.Scheduled, got, totals)
	}
	counted := sum(batches)
	if got := counted.Attempts + counted.Retries; totals.Recorded != got || totals.Sent != got {
		t.Errorf("sent %d, recorded %d, streamed %d; want them equal", totals.Sent, totals.Recorded, got)
	}
	// What was not answered may have been served: its answer came too late, or was lost.
	if answered := totals.Sent - totals.Unanswered; served < answered || served > totals.Sent {
		t.Errorf("sent %d, of which %d were unanswered and %d served; want them to add up", totals.Sent, totals.Unanswered, served)
	}
	var held int64
	for _, b := range batches {
		for _, s := range b.Sessions {
			held += s.Count
		}
	}
	if held != totals.NotSent {
		t.Errorf("session records say %d were held back, totals %d; want them equal", held, totals.NotSent)
	}
}

func TestRotationIsCountedByCredential(t *testing.T) {
	stage := newStage(t)
	client, _ := serve(t, Config{Bucket: Duration(20 * time.Millisecond), Clients: []ClientConfig{{
		Name: "web", To: "checkout", URL: stage.URL, Rate: 400, Sessions: 20,
		Token: &TokenConfig{URL: stage.URL, Life: Duration(time.Minute), OnRefusal: Renew},
	}, {
		Name: "bot", To: "checkout", URL: stage.URL, Rate: 50, Sessions: 2,
		Token: &TokenConfig{URL: stage.URL, Life: Duration(time.Minute)},
	}}})
	batches := collect(t, client)
	if err := client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := client.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "409") {
		t.Errorf("second start: got %v; want it refused with 409", err)
	}
	eventually(t, "load runs", func() bool { return stage.served.Load() > 100 })
	stage.kid.Store("k2")
	stage.refused.Store("k1")
	begun := time.Now().UnixMicro()
	at := stage.served.Load()
	eventually(t, "the sessions of web have renewed and bot was refused", func() bool { return stage.served.Load() > at+200 })
	totals, err := client.Stop(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := client.Stop(t.Context()); err != nil || again != totals {
		t.Errorf("second stop: got %+v, %v; want the same totals", again, err)
	}
	all := batches()
	checkTotals(t, totals, all, stage.served.Load())

	byCell := map[string]*Counts{}
	for _, b := range all {
		for _, c := range b.Counts {
			if c.AuthFailures > 0 && (c.FirstFailure < begun || c.FirstFailure > c.LastFailure || c.FirstFailure < c.At || c.LastFailure >= c.At+c.Width) {
				t.Errorf("failures from %d to %d in the bucket at %d of %d; want them inside, after %d", c.FirstFailure, c.LastFailure, c.At, c.Width, begun)
			}
			key := c.Client + " " + c.Credential
			if byCell[key] == nil {
				byCell[key] = &Counts{}
			}
			byCell[key].AuthFailures += c.AuthFailures
			byCell[key].Retries += c.Retries
			byCell[key].RetriesOK += c.RetriesOK
			byCell[key].OK += c.OK
		}
	}
	webOld, webNew, bot := byCell["web k1"], byCell["web k2"], byCell["bot k1"]
	if webOld == nil || webNew == nil || bot == nil {
		t.Fatalf("got cells %v; want web with k1 and k2, bot with k1", byCell)
	}
	if webOld.AuthFailures != webNew.Retries || webNew.Retries != webNew.RetriesOK || webNew.OK == 0 {
		t.Errorf("web: %d refusals of k1, %d retries with k2, %d taken, %d taken at once; want each refusal tried again and taken",
			webOld.AuthFailures, webNew.Retries, webNew.RetriesOK, webNew.OK)
	}
	// A session sends again before the answer to its first refusal is here only rarely.
	if webOld.AuthFailures < 20 || bot.AuthFailures == 0 || bot.Retries != 0 {
		t.Errorf("web had %d refusals, bot %d and %d retries; want 20 or more, some and none", webOld.AuthFailures, bot.AuthFailures, bot.Retries)
	}
	if text, err := json.Marshal(all); err != nil || bytes.Contains(text, []byte(secretPart)) {
		t.Errorf("stream holds a part of a token (%v): %s", err, text)
	}
}

func TestUnrenewableSessionsAreHeldBack(t *testing.T) {
	stage := newStage(t)
	stage.expiresIn.Store(1)
	client, _ := serve(t, Config{Clients: []ClientConfig{{
		Name: "web", To: "checkout", URL: stage.URL, Rate: 200, Sessions: 4,
		Token: &TokenConfig{URL: stage.URL, Life: Duration(time.Second)},
	}}})
	batches := collect(t, client)
	if err := client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	stage.issuerOff.Store(true)
	eventually(t, "every session has held requests back", func() bool { return soFar(t, client).NotSent >= 100 })
	totals, err := client.Stop(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := batches()
	checkTotals(t, totals, all, stage.served.Load())
	if totals.NotSent == 0 {
		t.Error("no request was held back; want those of sessions without a valid token")
	}
	sessions := map[string]bool{}
	for _, b := range all {
		for _, s := range b.Sessions {
			sessions[s.Session] = true
			if s.Client != "web" || !strings.Contains(s.Detail, "answered 503") {
				t.Errorf("got session record %+v; want one of web that says why", s)
			}
		}
	}
	if len(sessions) != 4 {
		t.Errorf("records of sessions %v; want of all four", sessions)
	}
	if got := sum(all); got.AuthFailures != 0 {
		t.Errorf("counted %d auth failures; want none: no old token was sent", got.AuthFailures)
	}
}

func TestStopDrains(t *testing.T) {
	stage := newStage(t)
	stage.slow.Store(int64(300 * time.Millisecond))
	client, _ := serve(t, Config{Clients: []ClientConfig{{Name: "web", To: "checkout", URL: stage.URL, Rate: 100}}})
	batches := collect(t, client)
	if err := client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "load runs", func() bool { return stage.served.Load() > 0 })
	totals, err := client.Stop(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := batches()
	checkTotals(t, totals, all, stage.served.Load())
	if got, begun := sum(all), totals.Scheduled-totals.Behind; got.OK != begun {
		t.Errorf("%d of %d requests that were begun were answered; want all, also those under way at the stop", got.OK, begun)
	}
}

// Whoever else reaches its port does not end a run's load.
func TestLoadIsControlledWithItsToken(t *testing.T) {
	stage := newStage(t)
	client, _ := serveTo(t, "of-the-run", Config{Clients: []ClientConfig{{Name: "web", To: "checkout", URL: stage.URL, Rate: 100}}})
	stranger := &Client{URL: client.URL, Token: "of-another"}
	if err := stranger.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("a stranger starts it: got %v, want 401", err)
	}
	if err := client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := stranger.Stop(t.Context()); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("a stranger stops it: got %v, want 401", err)
	}
	if _, err := stranger.streamOnce(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("a stranger takes its counts: got %v, want 401", err)
	}
	if _, err := client.Stop(t.Context()); err != nil {
		t.Errorf("its run stops it: %v", err)
	}
}

func TestStreamHasOneConsumer(t *testing.T) {
	client, _ := serve(t, Config{Clients: []ClientConfig{{Name: "web", To: "checkout", URL: "http://127.0.0.1:1", Rate: 1}}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	first, err := client.do(ctx, http.MethodGet, "/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Body.Close()
	for path, want := range map[string]string{
		"/stream":         "409 Conflict: another consumer is reading",
		"/stream?after=x": "400 Bad Request: parse after",
	} {
		if _, err := client.do(t.Context(), http.MethodGet, path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("GET %s: got %v; want %q", path, err, want)
		}
	}
	cancel()
	eventually(t, "the place of the first is free", func() bool {
		_, err := client.do(t.Context(), http.MethodGet, "/stream?after=5")
		return err != nil && strings.Contains(err.Error(), "400 Bad Request: forget batches up to 5")
	})
}

func TestStartNeedsEveryToken(t *testing.T) {
	stage := newStage(t)
	stage.issuerOff.Store(true)
	client, _ := serve(t, Config{Clients: []ClientConfig{{
		Name: "web", To: "checkout", URL: stage.URL, Rate: 100, Sessions: 40,
		Token: &TokenConfig{URL: stage.URL, Life: Duration(time.Minute)},
	}}})
	if err := client.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "start client web: fetch token for session web-") {
		t.Errorf("got %v; want it to say which session of which client has no token", err)
	}
	if n := stage.served.Load(); n != 0 {
		t.Errorf("%d requests were sent; want none", n)
	}
	stage.issuerOff.Store(false)
	if err := client.Start(t.Context()); err != nil {
		t.Errorf("start again: %v; want it to work", err)
	}
	if _, err := client.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestServeIsHealthyAndSaysWhatItDoes(t *testing.T) {
	client, log := serve(t, Config{Clients: []ClientConfig{{Name: "web", To: "checkout", URL: "http://127.0.0.1:1", Rate: 1, Timeout: Duration(DefaultTimeout)}}})
	resp, err := client.do(t.Context(), http.MethodGet, "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if got := soFar(t, client); got != (history.Totals{}) {
		t.Errorf("status before the start: got %+v; want nothing counted", got)
	}
	totals, err := client.Stop(t.Context())
	if err != nil || totals != (history.Totals{}) {
		t.Errorf("stop of what was not started: got %+v, %v; want no totals", totals, err)
	}
	if batches := collect(t, client)(); len(batches) != 1 || !batches[0].Final {
		t.Errorf("got %+v; want only a final batch", batches)
	}
	log.mu.Lock()
	defer log.mu.Unlock()
	line, ok := history.ParseLine(bytes.TrimSpace(log.Bytes()))
	if want := "checkout: 1/s, 1 sessions, GET http://127.0.0.1:1/, timeout 5s"; !ok || line.Message != "service" || line.Detail != want {
		t.Errorf("got log %s; want a service line with %q", log.Bytes(), want)
	}
}

func TestServeRefusesABadConfiguration(t *testing.T) {
	err := Serve(t.Context(), []byte(`{"clients": []}`), nil, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "no clients") {
		t.Errorf("got %v; want the problem of the configuration", err)
	}
}
