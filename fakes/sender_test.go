package fakes

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/webhook"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// refuses runs a service that is not to start.
func refuses(t *testing.T, s Service, config map[string]any) error {
	t.Helper()
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return s(ctx, data, listener, io.Discard)
}

// sink is an endpoint that keeps what it is sent, and answers as it is told,
// once it may.
type sink struct {
	*httptest.Server
	may    chan struct{}
	mu     sync.Mutex
	status []int // in turn; the last one stays
	got    []http.Header
}

func newSink(t *testing.T, status ...int) *sink {
	s := &sink{status: status, may: make(chan struct{})}
	close(s.may)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.got = append(s.got, r.Header.Clone())
		may := s.may
		s.mu.Unlock()
		<-may
		s.mu.Lock()
		defer s.mu.Unlock()
		w.WriteHeader(s.status[0])
		if len(s.status) > 1 {
			s.status = s.status[1:]
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// hold keeps answers back until release is called.
func (s *sink) hold() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	may := make(chan struct{})
	s.may = may
	return func() { close(may) }
}

// header is what every delivery had in a header, in order.
func (s *sink) header(name string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, h := range s.got {
		all = append(all, h.Get(name))
	}
	return all
}

func serveSender(t *testing.T, store *testStore, scheme string, to *sink, more map[string]any) (string, *logBook) {
	t.Helper()
	sender, log := serve(t, ServeSender, with(map[string]any{
		"name": "payments", "scheme": scheme, "store": store.config(), "refresh": "10ms",
		"endpoints": map[string]any{"orders": to.URL},
	}, more))
	log.forbid(storeToken)
	awaitReady(t, sender)
	return sender, log
}

func event(t *testing.T, sender string) {
	t.Helper()
	if status, body := call(t, http.MethodPost, sender+"/events/orders", "", strings.NewReader("paid")); status != http.StatusAccepted {
		t.Errorf("event: got %d %s, want 202", status, body)
	}
}

func counted(t *testing.T, url string) map[string]int64 {
	t.Helper()
	_, body := call(t, http.MethodGet, url+"/rehearse/status", "", nil)
	var counters map[string]int64
	if err := json.Unmarshal([]byte(body), &counters); err != nil {
		t.Fatalf("status: got %s: %v", body, err)
	}
	return counters
}

// How many signatures a delivery has, and whose, while two secrets are accepted.
func TestSenderSignsAsItsScheme(t *testing.T) {
	entry := func(tag, value string, revoked bool) map[string]any {
		return map[string]any{"tag": tag, "value": value, "revoked": revoked}
	}
	tests := []struct {
		scheme, header, split string
		revoked               bool // at the sender, the old one
		want                  []string
		tag                   string
	}{
		{"stripe", webhook.HeaderStripe, ",v1=", false, []string{"new", "old"}, "k2"},
		{"standard-webhooks", webhook.HeaderStandard, " ", false, []string{"new", "old"}, "k2"},
		{"github", webhook.HeaderGitHub, ",", false, []string{"new"}, "k2"},
		// Whatever the page wants to be emitted.
		{"shopify", webhook.HeaderShopify, ",", false, []string{"old"}, "k1"},
		{"shopify", webhook.HeaderShopify, ",", true, []string{"new"}, "k2"},
	}
	for _, tt := range tests {
		t.Run(tt.scheme, func(t *testing.T) {
			s, secrets := webhookSecrets(t, tt.scheme)
			store, to := newStore(t), newSink(t, 204)
			store.publish(t, "k2", entry("k1", secrets[0], tt.revoked), entry("k2", secrets[1], false))
			sender, log := serveSender(t, store, tt.scheme, to, nil)
			log.forbid(secrets[0], secrets[1])
			event(t, sender)
			signatures := strings.Split(strings.TrimPrefix(to.header(tt.header)[0], "t="), tt.split)
			if tt.scheme == "stripe" {
				signatures = signatures[1:]
			}
			if len(signatures) != len(tt.want) {
				t.Fatalf("got %d signatures, want %v", len(signatures), tt.want)
			}
			wantEqual(t, "the identifier for the log", to.header(webhook.HeaderIdentifier), []string{tt.tag})
			wantEqual(t, "emitting", log.identifiers("emitting"), []string{tt.tag})
			if s.Several == (len(signatures) == 1) {
				t.Errorf("the scheme says several %t, and %d signatures were made", s.Several, len(signatures))
			}
			if line := log.lines("presented")[0]; line.Identifier != tt.tag || line.Validator != "orders" || line.Attempt != 1 || line.Status != "204" {
				t.Errorf("presented: got %+v, want %s to orders", line, tt.tag)
			}
		})
	}
}

// A delivery that failed is signed anew or keeps its signature, as the scheme
// has it, when the secret was changed meanwhile.
func TestSenderTriesAgain(t *testing.T) {
	for _, scheme := range webhook.Names() {
		t.Run(scheme, func(t *testing.T) {
			s, secrets := webhookSecrets(t, scheme)
			store, to := newStore(t), newSink(t, 503, 204)
			store.publish(t, "k1", apiKeyEntry("k1", secrets[0]))
			sender, log := serveSender(t, store, scheme, to, map[string]any{"retry_for": "80ms"})
			release := to.hold() // the first attempt fails once the sender has switched
			var first sync.WaitGroup
			first.Go(func() { event(t, sender) })
			eventually(t, "the first attempt", func() bool { return len(to.header("")) == 1 })
			store.publish(t, "k2", apiKeyEntry("k2", secrets[1]))
			eventually(t, "the switch", func() bool { return slices.Contains(log.identifiers("emitting"), "k2") })
			release()
			first.Wait()
			eventually(t, "the second attempt", func() bool { return len(log.lines("presented")) == 2 })
			want := []string{"k1", "k1"}
			if s.Anew {
				want[1] = "k2"
			}
			wantEqual(t, "signed with", log.identifiers("presented"), want)
			wantEqual(t, "attempts: none was refused", to.header(webhook.HeaderAttempt), []string{"1", "1"})
			if got := counted(t, sender); got["presented"] != 2 || got["redelivered"] != 1 || got["retried"] != 0 || got["served"] != 1 {
				t.Errorf("counters: got %v, want 2 presented, of which 1 was delivered again", got)
			}
		})
	}
}

// What was refused is tried again too, and is then a retry: its success does
// not make the refusal undone.
func TestSenderTriesWhatWasRefusedAgain(t *testing.T) {
	_, secrets := webhookSecrets(t, "github")
	store, to := newStore(t), newSink(t, 401, 401, 204)
	store.publish(t, "k1", apiKeyEntry("k1", secrets[0]))
	sender, log := serveSender(t, store, "github", to, map[string]any{"retry_for": "160ms"})
	event(t, sender)
	eventually(t, "three attempts", func() bool { return len(log.lines("presented")) == 3 })
	wantEqual(t, "attempts", to.header(webhook.HeaderAttempt), []string{"1", "2", "3"})
	if got := counted(t, sender); got["retried"] != 2 || got["redelivered"] != 0 {
		t.Errorf("counters: got %v, want 2 retries", got)
	}
}

// The last attempt is made when the span is over, and then it is given up.
func TestSenderGivesUp(t *testing.T) {
	_, secrets := webhookSecrets(t, "github")
	store, to := newStore(t), newSink(t, 503)
	store.publish(t, "k1", apiKeyEntry("k1", secrets[0]))
	sender, log := serveSender(t, store, "github", to, map[string]any{"retry_for": "160ms"})
	event(t, sender)
	eventually(t, "the end of it", func() bool { return len(log.lines("given up")) == 1 })
	if got := len(log.lines("presented")); got != 1+len(backoff(time.Second)) {
		t.Errorf("got %d attempts, want %d", got, 1+len(backoff(time.Second)))
	}
}

// After a quiesce nothing is presented unasked.
func TestSenderQuiesces(t *testing.T) {
	_, secrets := webhookSecrets(t, "github")
	store, to := newStore(t), newSink(t, 503)
	store.publish(t, "k1", apiKeyEntry("k1", secrets[0]))
	sender, log := serveSender(t, store, "github", to, map[string]any{"retry_for": "1h"})
	event(t, sender)
	if status, _ := call(t, http.MethodPost, sender+"/rehearse/quiesce", "", nil); status != http.StatusNoContent {
		t.Errorf("quiesce: got %d, want 204", status)
	}
	event(t, sender)
	if got := counted(t, sender); got["presented"] != 2 || got["redelivered"] != 0 {
		t.Errorf("counters: got %v, want the two first attempts", got)
	}
	if got := len(log.lines("given up")); got != 1 {
		t.Errorf("got %d given up, want the second: it is not queued any more", got)
	}
}

func TestSenderWithoutAnAnswer(t *testing.T) {
	_, secrets := webhookSecrets(t, "github")
	store, to := newStore(t), newSink(t, 204)
	store.publish(t, "k1", apiKeyEntry("k1", secrets[0]))
	sender, log := serveSender(t, store, "github", to, nil)
	to.Close()
	event(t, sender)
	if lines := log.lines("presented"); len(lines) != 1 || lines[0].Status != history.StatusUnavailable || lines[0].Detail == "" || lines[0].Validator != "orders" {
		t.Errorf("presented: got %+v, want one to orders that is %s with a reason", lines, history.StatusUnavailable)
	}
	if status, _ := call(t, http.MethodPost, sender+"/events/ledger", "", nil); status != http.StatusNotFound {
		t.Errorf("an endpoint that there is not: got %d, want 404", status)
	}
}

// What it cannot sign with it does not take over.
func TestSenderKeepsItsSecretWhenTheDocumentIsBad(t *testing.T) {
	for name, scheme := range map[string]string{`emit names "k2"`: "stripe", "all 1 are revoked": "shopify"} {
		_, secrets := webhookSecrets(t, scheme)
		store, to := newStore(t), newSink(t, 204)
		store.publish(t, "k1", apiKeyEntry("k1", secrets[0]))
		sender, log := serveSender(t, store, scheme, to, nil)
		if scheme == "shopify" {
			store.publish(t, "k1", map[string]any{"tag": "k1", "value": secrets[0], "revoked": true})
		} else {
			store.publish(t, "k2", apiKeyEntry("k1", secrets[0]))
		}
		eventually(t, "a failure on record", func() bool { return len(log.lines("fetch-failed")) == 1 })
		if detail := log.lines("fetch-failed")[0].Detail; !strings.Contains(detail, name) || strings.Contains(detail, secrets[0]) {
			t.Errorf("got %q, want %s, and no value", detail, name)
		}
		event(t, sender)
		wantEqual(t, "signed with", log.identifiers("presented"), []string{"k1"})
	}
}

// An endpoint that refuses with a status of its own is refused by, and not broken:
// the next attempt at the same is a retry of what was refused.
func TestSenderReadsRefusalsAsToldOfAnEndpoint(t *testing.T) {
	for _, tt := range []struct {
		name   string
		more   map[string]any
		status int
		want   []string
	}{
		{"as usual", nil, 401, []string{"auth_failure", "ok"}},
		{"a bad request", nil, 400, []string{"unavailable", "ok"}},
		{"its own", map[string]any{"refusals": map[string]any{"orders": map[string]any{"statuses": []int{400}}}}, 400, []string{"auth_failure", "ok"}},
		{"another endpoint's", map[string]any{"refusals": map[string]any{"ledger": map[string]any{"statuses": []int{400}}}}, 400, []string{"unavailable", "ok"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, secrets := webhookSecrets(t, "stripe")
			store, to := newStore(t), newSink(t, tt.status, 204)
			store.publish(t, "k1", map[string]any{"tag": "k1", "value": secrets[0]})
			sender, log := serveSender(t, store, "stripe", to, with(map[string]any{"retry_for": "80ms"}, tt.more))
			event(t, sender)
			eventually(t, "the second attempt", func() bool { return len(log.lines("presented")) == 2 })
			var got []string
			for _, l := range log.lines("presented") {
				got = append(got, string(l.Outcome))
			}
			wantEqual(t, "outcomes", got, tt.want)
		})
	}
}

func TestSenderConfig(t *testing.T) {
	store := newStore(t)
	for want, more := range map[string]map[string]any{
		"scheme is missing":      {"scheme": ""},
		`scheme "gitlab"`:        {"scheme": "gitlab"},
		"refresh must be longer": {"refresh": "0s"},
	} {
		config := with(map[string]any{"name": "payments", "scheme": "github", "store": store.config(), "refresh": "10ms"}, more)
		if err := refuses(t, ServeSender, config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}
