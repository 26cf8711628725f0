package webhook

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"
	"github.com/rehearse-dev/rehearse/harness/webhook"
)

// webhookSecrets are two secrets of each scheme.
func webhookSecrets(t *testing.T, scheme string) (webhook.Scheme, [2]string) {
	t.Helper()
	s, err := webhook.Of(scheme)
	if err != nil {
		t.Fatal(err)
	}
	var secrets [2]string
	for i := range secrets {
		if secrets[i], err = s.NewSecret(); err != nil {
			t.Fatal(err)
		}
	}
	return s, secrets
}

func serveReceiver(t *testing.T, store *standintest.Store, scheme string, more map[string]any) (string, *standintest.Log) {
	t.Helper()
	receiver, log := standintest.Serve(t, ServeReceiver, standintest.With(map[string]any{
		"name": "orders", "scheme": scheme, "store": store.Config(), "refresh": "10ms",
	}, more))
	log.Forbid(standintest.StoreToken)
	standintest.AwaitReady(t, receiver)
	return receiver, log
}

// deliver makes one delivery, signed at a time with some secrets.
func deliver(t *testing.T, url string, s webhook.Scheme, at time.Time, id string, secrets ...string) int {
	t.Helper()
	body, err := webhook.Event(id, webhook.TypeEvent, at, "paid")
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/webhooks", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	s.Sign(req.Header, webhook.Message{ID: id, At: at, Body: body}, secrets...)
	req.Header.Set(webhook.HeaderIdentifier, "k2")
	req.Header.Set("User-Agent", SenderAgent+"payments")
	resp, err := standintest.Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// A receiver of a set takes what either secret signed, and tells which; a
// stranger's signature it refuses.
func TestReceiverOfASet(t *testing.T) {
	for _, scheme := range webhook.Names() {
		t.Run(scheme, func(t *testing.T) {
			s, secrets := webhookSecrets(t, scheme)
			_, strange := webhookSecrets(t, scheme)
			store := standintest.NewStore(t)
			store.Publish(t, "k1", standintest.Entry("k1", secrets[0]), standintest.Entry("k2", secrets[1]))
			receiver, log := serveReceiver(t, store, scheme, nil)
			log.Forbid(secrets[0], secrets[1], strange[0])
			for _, tt := range []struct {
				name    string
				secrets []string
				want    int
			}{
				{"the old one", secrets[:1], http.StatusNoContent},
				{"the new one", secrets[1:], http.StatusNoContent},
				{"a stranger's", strange[:1], http.StatusUnauthorized},
				{"none", nil, http.StatusUnauthorized},
			} {
				if got := deliver(t, receiver, s, time.Now(), "evt_1", tt.secrets...); got != tt.want {
					t.Errorf("signed with %s: got %d, want %d", tt.name, got, tt.want)
				}
			}
			standintest.WantEqual(t, "accepted", log.Identifiers("accepted"), []string{"k1", "k2"})
			standintest.WantEqual(t, "refused, by the sender's word", log.Identifiers("refused"), []string{"k2", "k2"})
			if line := log.Lines("accepted")[0]; line.Presenter != "payments" || line.Attempt != 1 || line.Status != "204" {
				t.Errorf("accepted: got %+v, want the first attempt of payments", line)
			}
			if got := standintest.Served(t, receiver); got != 4 {
				t.Errorf("served: got %d, want 4", got)
			}
		})
	}
}

// A signature of both secrets carries a receiver of one over the change; with
// one signature, somebody is always wrong for a time.
func TestReceiverOfOneSecret(t *testing.T) {
	for _, scheme := range webhook.Names() {
		t.Run(scheme, func(t *testing.T) {
			s, secrets := webhookSecrets(t, scheme)
			store := standintest.NewStore(t)
			both := []map[string]any{standintest.Entry("k1", secrets[0]), standintest.Entry("k2", secrets[1])}
			store.Publish(t, "k1", both...)
			receiver, log := serveReceiver(t, store, scheme, map[string]any{"holds": 1})
			want := http.StatusUnauthorized
			if s.Several {
				want = http.StatusNoContent
			}
			if got := deliver(t, receiver, s, time.Now(), "evt_1", secrets[1], secrets[0]); got != want {
				t.Errorf("emitted k2, and it holds k1: got %d, want %d", got, want)
			}
			store.Publish(t, "k2", both...)
			standintest.Eventually(t, "k2 learned", func() bool { return slices.Equal(log.Identifiers("learned"), []string{"k1", "k2"}) })
			standintest.Eventually(t, "k1 forgotten", func() bool { return slices.Equal(log.Identifiers("forgot"), []string{"k1"}) })
			if got := deliver(t, receiver, s, time.Now(), "evt_2", secrets[0]); got != http.StatusUnauthorized {
				t.Errorf("signed with k1 alone, and it holds k2: got %d, want 401", got)
			}
			fetched := log.Lines("fetched")
			last := fetched[len(fetched)-1]
			if !slices.Contains(last.Identifiers, "k1") || !slices.Equal(last.Holds, []string{"k2"}) {
				t.Errorf("fetched: got %v of which it holds %v, want both, and k2", last.Identifiers, last.Holds)
			}
		})
	}
}

// The tolerances are the libraries' own: five minutes back for both, and
// forward for one of them. What ages has a right signature all the same, and is
// told with the tag that made it.
func TestReceiverTellsWhatWasSignedAnew(t *testing.T) {
	tests := []struct {
		scheme string
		skew   time.Duration
		both   bool
		want   bool
	}{
		{"stripe", 0, false, true},
		{"stripe", 0, true, false}, // which of the two it signs with is not told
		{"stripe", -time.Minute, false, false},
		{"standard-webhooks", 0, false, true},
		{"standard-webhooks", 0, true, false},
		{"standard-webhooks", -time.Minute, false, false},
		{"slack", 0, false, true},
		{"slack", -time.Minute, false, false},
		{"github", 0, false, false}, // no timestamp
		{"shopify", 0, false, false},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.scheme, tt.skew, tt.both), func(t *testing.T) {
			s, secrets := webhookSecrets(t, tt.scheme)
			store := standintest.NewStore(t)
			store.Publish(t, "k1", standintest.Entry("k1", secrets[0]), standintest.Entry("k2", secrets[1]))
			receiver, log := serveReceiver(t, store, tt.scheme, nil)
			with := secrets[:1]
			if tt.both {
				with = secrets[:]
			}
			if got := deliver(t, receiver, s, time.Now().Add(tt.skew), "evt_1", with...); got != http.StatusNoContent {
				t.Fatalf("got %d, want 204", got)
			}
			if lines := log.Lines("accepted"); len(lines) != 1 || lines[0].Anew != tt.want {
				t.Errorf("got %+v, want one line that says signed anew: %t", lines, tt.want)
			}
		})
	}
}

func TestReceiverTolerance(t *testing.T) {
	const past, future = -6 * time.Minute, 6 * time.Minute
	tests := []struct {
		scheme string
		skew   time.Duration
		want   int
		detail string
	}{
		{"stripe", -4 * time.Minute, 204, ""},
		{"stripe", past, 401, "within tolerance"},
		{"stripe", future, 204, ""},
		{"standard-webhooks", -4 * time.Minute, 204, ""},
		{"standard-webhooks", past, 401, "too old"},
		{"standard-webhooks", future, 401, "too new"},
		{"github", past, 204, ""},
		{"shopify", past, 204, ""},
		{"slack", -4 * time.Minute, 204, ""},
		{"slack", past, 401, "within five minutes"},
		{"slack", future, 401, "within five minutes"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.scheme, tt.skew), func(t *testing.T) {
			s, secrets := webhookSecrets(t, tt.scheme)
			store := standintest.NewStore(t)
			store.Publish(t, "k1", standintest.Entry("k1", secrets[0]), standintest.Entry("k2", secrets[1]))
			receiver, log := serveReceiver(t, store, tt.scheme, nil)
			if got := deliver(t, receiver, s, time.Now().Add(tt.skew), "evt_1", secrets[0]); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
			for _, line := range log.Lines("refused") {
				if line.Identifier != "k1" || !strings.Contains(line.Detail, tt.detail) {
					t.Errorf("refused: got %s with %q, want k1 with %q", line.Identifier, line.Detail, tt.detail)
				}
			}
		})
	}
}

// What it cannot process it has checked all the same.
func TestReceiverThatFails(t *testing.T) {
	s, secrets := webhookSecrets(t, "github")
	store := standintest.NewStore(t)
	store.Publish(t, "k1", standintest.Entry("k1", secrets[0]))
	receiver, log := serveReceiver(t, store, "github", map[string]any{"fails": 0.5})
	failed := 0
	for i := range 100 {
		id := "evt_" + strconv.Itoa(i)
		first := deliver(t, receiver, s, time.Now(), id, secrets[0])
		if again := deliver(t, receiver, s, time.Now(), id, secrets[0]); again != first {
			t.Errorf("%s: got %d and then %d, want the same again", id, first, again)
		}
		if first == http.StatusServiceUnavailable {
			failed++
		}
	}
	if failed < 25 || failed > 75 {
		t.Errorf("got %d of 100 that failed, want about 50", failed)
	}
	if got := len(log.Lines("accepted")); got != 200 {
		t.Errorf("got %d accepted, want 200: the signature was right", got)
	}
}

func TestReceiverConfig(t *testing.T) {
	store := standintest.NewStore(t)
	for want, more := range map[string]map[string]any{
		"scheme is missing":      {"scheme": ""},
		`scheme "gitlab"`:        {"scheme": "gitlab"},
		"holds is -1":            {"holds": -1},
		"fails is 2":             {"fails": 2},
		"refresh must be longer": {"refresh": "0s"},
		`unknown field "colour"`: {"colour": "blue"},
		"store.token is missing": {"store": map[string]any{"url": "u", "path": "p"}},
	} {
		config := standintest.With(map[string]any{"name": "orders", "scheme": "github", "store": store.Config(), "refresh": "10ms"}, more)
		if err := standintest.Refuses(t, ServeReceiver, config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}
