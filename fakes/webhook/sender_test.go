package webhook

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/webhook"
)

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

func serveSender(t *testing.T, store *standintest.Store, scheme string, to *sink, more map[string]any) (string, *standintest.Log) {
	t.Helper()
	sender, log := standintest.Serve(t, ServeSender, standintest.With(map[string]any{
		"name": "payments", "scheme": scheme, "store": store.Config(), "refresh": "10ms",
		"endpoints": map[string]any{"orders": to.URL},
	}, more))
	log.Forbid(standintest.StoreToken)
	standintest.AwaitReady(t, sender)
	return sender, log
}

func event(t *testing.T, sender string) {
	t.Helper()
	if status, body := standintest.Call(t, http.MethodPost, sender+"/events/orders", "", strings.NewReader("paid")); status != http.StatusAccepted {
		t.Errorf("event: got %d %s, want 202", status, body)
	}
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
		{"slack", webhook.HeaderSlack, ",", false, []string{"new"}, "k2"},
		// Whatever the page wants to be emitted.
		{"shopify", webhook.HeaderShopify, ",", false, []string{"old"}, "k1"},
		{"shopify", webhook.HeaderShopify, ",", true, []string{"new"}, "k2"},
	}
	for _, tt := range tests {
		t.Run(tt.scheme, func(t *testing.T) {
			s, secrets := webhookSecrets(t, tt.scheme)
			store, to := standintest.NewStore(t), newSink(t, 204)
			store.Publish(t, "k2", entry("k1", secrets[0], tt.revoked), entry("k2", secrets[1], false))
			sender, log := serveSender(t, store, tt.scheme, to, nil)
			log.Forbid(secrets[0], secrets[1])
			event(t, sender)
			signatures := strings.Split(strings.TrimPrefix(to.header(tt.header)[0], "t="), tt.split)
			if tt.scheme == "stripe" {
				signatures = signatures[1:]
			}
			if len(signatures) != len(tt.want) {
				t.Fatalf("got %d signatures, want %v", len(signatures), tt.want)
			}
			standintest.WantEqual(t, "the identifier for the log", to.header(webhook.HeaderIdentifier), []string{tt.tag})
			standintest.WantEqual(t, "emitting", log.Identifiers("emitting"), []string{tt.tag})
			if s.Several == (len(signatures) == 1) {
				t.Errorf("the scheme says several %t, and %d signatures were made", s.Several, len(signatures))
			}
			if line := log.Lines("presented")[0]; line.Identifier != tt.tag || line.Validator != "orders" || line.Attempt != 1 || line.Status != "204" {
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
			store, to := standintest.NewStore(t), newSink(t, 503, 204)
			store.Publish(t, "k1", standintest.Entry("k1", secrets[0]))
			sender, log := serveSender(t, store, scheme, to, map[string]any{"retry_for": "80ms"})
			release := to.hold() // the first attempt fails once the sender has switched
			var first sync.WaitGroup
			first.Go(func() { event(t, sender) })
			standintest.Eventually(t, "the first attempt", func() bool { return len(to.header("")) == 1 })
			store.Publish(t, "k2", standintest.Entry("k2", secrets[1]))
			standintest.Eventually(t, "the switch", func() bool { return slices.Contains(log.Identifiers("emitting"), "k2") })
			release()
			first.Wait()
			standintest.Eventually(t, "the second attempt", func() bool { return len(log.Lines("presented")) == 2 })
			want := []string{"k1", "k1"}
			if s.Anew {
				want[1] = "k2"
			}
			standintest.WantEqual(t, "signed with", log.Identifiers("presented"), want)
			standintest.WantEqual(t, "attempts: none was refused", to.header(webhook.HeaderAttempt), []string{"1", "1"})
			if got := standintest.Counted(t, sender); got["presented"] != 2 || got["redelivered"] != 1 || got["retried"] != 0 || got["served"] != 1 {
				t.Errorf("counters: got %v, want 2 presented, of which 1 was delivered again", got)
			}
		})
	}
}

// What was refused is tried again too, and is then a retry: its success does
// not make the refusal undone.
func TestSenderTriesWhatWasRefusedAgain(t *testing.T) {
	_, secrets := webhookSecrets(t, "github")
	store, to := standintest.NewStore(t), newSink(t, 401, 401, 204)
	store.Publish(t, "k1", standintest.Entry("k1", secrets[0]))
	sender, log := serveSender(t, store, "github", to, map[string]any{"retry_for": "160ms"})
	event(t, sender)
	standintest.Eventually(t, "three attempts", func() bool { return len(log.Lines("presented")) == 3 })
	standintest.WantEqual(t, "attempts", to.header(webhook.HeaderAttempt), []string{"1", "2", "3"})
	if got := standintest.Counted(t, sender); got["retried"] != 2 || got["redelivered"] != 0 {
		t.Errorf("counters: got %v, want 2 retries", got)
	}
}

// The last attempt is made when the span is over, and then it is given up.
func TestSenderGivesUp(t *testing.T) {
	_, secrets := webhookSecrets(t, "github")
	store, to := standintest.NewStore(t), newSink(t, 503)
	store.Publish(t, "k1", standintest.Entry("k1", secrets[0]))
	sender, log := serveSender(t, store, "github", to, map[string]any{"retry_for": "160ms"})
	event(t, sender)
	standintest.Eventually(t, "the end of it", func() bool { return len(log.Lines("given up")) == 1 })
	if got := len(log.Lines("presented")); got != 1+len(backoff(time.Second)) {
		t.Errorf("got %d attempts, want %d", got, 1+len(backoff(time.Second)))
	}
}

// After a quiesce nothing is presented unasked.
func TestSenderQuiesces(t *testing.T) {
	_, secrets := webhookSecrets(t, "github")
	store, to := standintest.NewStore(t), newSink(t, 503)
	store.Publish(t, "k1", standintest.Entry("k1", secrets[0]))
	sender, log := serveSender(t, store, "github", to, map[string]any{"retry_for": "1h"})
	event(t, sender)
	if status, _ := standintest.Call(t, http.MethodPost, sender+"/rehearse/quiesce", "", nil); status != http.StatusNoContent {
		t.Errorf("quiesce: got %d, want 204", status)
	}
	event(t, sender)
	if got := standintest.Counted(t, sender); got["presented"] != 2 || got["redelivered"] != 0 {
		t.Errorf("counters: got %v, want the two first attempts", got)
	}
	if got := len(log.Lines("given up")); got != 1 {
		t.Errorf("got %d given up, want the second: it is not queued any more", got)
	}
}

func TestSenderWithoutAnAnswer(t *testing.T) {
	_, secrets := webhookSecrets(t, "github")
	store, to := standintest.NewStore(t), newSink(t, 204)
	store.Publish(t, "k1", standintest.Entry("k1", secrets[0]))
	sender, log := serveSender(t, store, "github", to, nil)
	to.Close()
	event(t, sender)
	if lines := log.Lines("presented"); len(lines) != 1 || lines[0].Status != history.StatusUnavailable || lines[0].Detail == "" || lines[0].Validator != "orders" {
		t.Errorf("presented: got %+v, want one to orders that is %s with a reason", lines, history.StatusUnavailable)
	}
	if status, _ := standintest.Call(t, http.MethodPost, sender+"/events/ledger", "", nil); status != http.StatusNotFound {
		t.Errorf("an endpoint that there is not: got %d, want 404", status)
	}
}

// What it cannot sign with it does not take over.
func TestSenderKeepsItsSecretWhenTheDocumentIsBad(t *testing.T) {
	for name, scheme := range map[string]string{`emit names "k2"`: "stripe", "all 1 are revoked": "shopify"} {
		_, secrets := webhookSecrets(t, scheme)
		store, to := standintest.NewStore(t), newSink(t, 204)
		store.Publish(t, "k1", standintest.Entry("k1", secrets[0]))
		sender, log := serveSender(t, store, scheme, to, nil)
		if scheme == "shopify" {
			store.Publish(t, "k1", map[string]any{"tag": "k1", "value": secrets[0], "revoked": true})
		} else {
			store.Publish(t, "k2", standintest.Entry("k1", secrets[0]))
		}
		standintest.Eventually(t, "a failure on record", func() bool { return len(log.Lines("fetch-failed")) == 1 })
		if detail := log.Lines("fetch-failed")[0].Detail; !strings.Contains(detail, name) || strings.Contains(detail, secrets[0]) {
			t.Errorf("got %q, want %s, and no value", detail, name)
		}
		event(t, sender)
		standintest.WantEqual(t, "signed with", log.Identifiers("presented"), []string{"k1"})
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
			store, to := standintest.NewStore(t), newSink(t, tt.status, 204)
			store.Publish(t, "k1", map[string]any{"tag": "k1", "value": secrets[0]})
			sender, log := serveSender(t, store, "stripe", to, standintest.With(map[string]any{"retry_for": "80ms"}, tt.more))
			event(t, sender)
			standintest.Eventually(t, "the second attempt", func() bool { return len(log.Lines("presented")) == 2 })
			var got []string
			for _, l := range log.Lines("presented") {
				got = append(got, string(l.Outcome))
			}
			standintest.WantEqual(t, "outcomes", got, tt.want)
		})
	}
}

func TestSenderConfig(t *testing.T) {
	store := standintest.NewStore(t)
	for want, more := range map[string]map[string]any{
		"scheme is missing":      {"scheme": ""},
		`scheme "gitlab"`:        {"scheme": "gitlab"},
		"refresh must be longer": {"refresh": "0s"},
	} {
		config := standintest.With(map[string]any{"name": "payments", "scheme": "github", "store": store.Config(), "refresh": "10ms"}, more)
		if err := standintest.Refuses(t, ServeSender, config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}
