package load

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestARateChanges: what was due before stays as it was, a wait for the next request
// ends when the rate is changed, and a client whose rate is 0 sends nothing.
func TestARateChanges(t *testing.T) {
	type change struct {
		at   time.Duration
		rate float64
	}
	for _, test := range []struct {
		name    string
		rate    float64
		changes []change
		after   time.Duration
		want    int64
	}{
		{"it begins later", 0, []change{{10 * time.Second, 2}}, 15*time.Second + time.Millisecond, 11},
		{"it never begins", 0, nil, time.Hour, 0},
		{"it ends", 2, []change{{5*time.Second + time.Millisecond, 0}}, time.Hour, 11},
		{"more", 1, []change{{10*time.Second + time.Millisecond, 100}}, 20*time.Second + 2*time.Millisecond, 11 + 1000},
		{"less", 100, []change{{10*time.Second + time.Millisecond, 0.1}}, 30*time.Second + 2*time.Millisecond, 1001 + 2},
		{"a long wait ends", 0.001, []change{{10 * time.Second, 10}}, 11*time.Second + time.Millisecond, 11},
		{"a pause", 10, []change{{time.Second + time.Millisecond, 0}, {9 * time.Second, 10}}, 10*time.Second + time.Millisecond, 21},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				config := ClientConfig{Name: "web", To: "checkout", URL: "http://checkout.test", Rate: test.rate, Most: 100}
				config.fill()
				wire := &counter{}
				attack := startAttack(&config, wire)
				begun := time.Now()
				for _, c := range test.changes {
					time.Sleep(c.at - time.Since(begun))
					attack.pace.schedule.set(c.rate)
				}
				time.Sleep(test.after - time.Since(begun))
				synctest.Wait()
				if got := wire.requests.Load(); got != test.want {
					t.Errorf("got %d requests after %v; want %d", got, test.after, test.want)
				}
				attack.stop()
				<-attack.drained
				if due, begun := attack.pace.counts(); due != begun {
					t.Errorf("due were %d and begun %d; want both the same", due, begun)
				}
			})
		})
	}
}

// TestSetRate: the control path changes a client that is under way, and says what is wrong.
func TestSetRate(t *testing.T) {
	asked := make(chan struct{}, 1)
	checkout := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		select {
		case asked <- struct{}{}:
		default:
		}
	}))
	defer checkout.Close()
	config := Config{Clients: []ClientConfig{{Name: "web", To: "checkout", URL: checkout.URL, Most: 1000}}}
	config.fill()
	service := newService(config, slog.New(slog.DiscardHandler))
	server := httptest.NewServer(service.handler())
	defer server.Close()
	client := &Client{URL: server.URL}
	ctx := context.Background()
	if err := client.SetRate(ctx, "web", 1000); err == nil || !strings.Contains(err.Error(), "not under way") {
		t.Errorf("before the start: got %v", err)
	}
	if err := client.Start(ctx); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		client string
		rate   float64
		want   string
	}{
		"it is changed": {"web", 1000, ""},
		"unknown":       {"app", 1, `no client "app"`},
		"below 0":       {"web", -1, "want a number from 0"},
	} {
		err := client.SetRate(ctx, test.client, test.rate)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
	<-asked // it was not before
	if _, err := client.Stop(ctx); err != nil {
		t.Fatal(err)
	}
}
