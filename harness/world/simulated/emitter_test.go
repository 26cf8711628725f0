package simulated

import (
	"slices"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

func TestEmitterSwitchesWithinItsRefresh(t *testing.T) {
	const at = 5 * time.Second
	acts := []act{{at, keyring.Accept, "k2"}, {at, keyring.Emit, "k2"}}
	for _, tt := range []struct {
		name    string
		replace []string
		options Options
		most    time.Duration // wall; 0: never
	}{
		{"as the page says", nil, Options{}, time.Second},
		{"as the scenario sets it, whatever the page says", []string{"auth: {serve: issuer}", "auth: {serve: issuer, refresh: 5m}"}, Options{Seed: 3}, 5 * time.Second},
		{"as the options say", nil, Options{Refresh: map[string]time.Duration{"auth": 30 * time.Second}}, 500 * time.Millisecond},
		{"pinned by the scenario", []string{"auth: {serve: issuer}", "auth: {serve: issuer, pinned: true}"}, Options{}, 0},
		{"started anew with what is in its environment", []string{"auth: {serve: issuer}", "auth: {serve: issuer, distribution: env}"}, Options{}, 100 * time.Millisecond},
		{"from a file that is late", []string{"auth: {serve: issuer}", "auth: {serve: issuer, distribution: file, delay: 5m}"}, Options{}, 6 * time.Second},
		{"from a file that is too late", []string{"auth: {serve: issuer}", "auth: {serve: issuer, distribution: file, delay: 20m}"}, Options{}, 0},
		{"pinned by the options", nil, Options{Pinned: map[string]bool{"auth": true}}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := live(t, planned(t, tt.replace...), tt.options, 20*time.Second, acts...)
			switched := of(h, history.KindEmitting, "auth")
			if tt.most == 0 {
				if len(switched) != 1 || switched[0].Credential != "k1" {
					t.Errorf("emitting: got %+v, want k1 only", switched)
				}
				return
			}
			if len(switched) != 2 || switched[1].Credential != "k2" {
				t.Fatalf("emitting: got %+v, want k1 and then k2", switched)
			}
			if took := switched[1].At.Duration() - at; took < 0 || took > tt.most {
				t.Errorf("switched after %s, want at most %s", took, tt.most)
			}
			published := of(h, history.KindPublished, "auth")
			if got, want := published[len(published)-1].Credentials, []string{"k2", "k1"}; !slices.Equal(got, want) {
				t.Errorf("published: got %v, want %v, the emitted one first", got, want)
			}
		})
	}
}

func TestCacheAnswersForItsTTL(t *testing.T) {
	const at, ttl = 5 * time.Second, 6 * time.Second
	h := live(t, planned(t), Options{Validators: map[string]Behaviour{"checkout": {Refresh: time.Minute}}}, 30*time.Second,
		act{at, keyring.Accept, "k2"})
	var reads []history.Offset
	for _, e := range of(h, history.KindRead, "auth") {
		if e.Reader == "cdn" {
			reads = append(reads, e.At)
		}
	}
	if len(reads) < 4 {
		t.Fatalf("reads of cdn: got %v, want one for each %s", reads, ttl)
	}
	for i := 1; i < len(reads); i++ {
		if apart := (reads[i] - reads[i-1]).Duration(); apart < ttl || apart > ttl+time.Second {
			t.Errorf("reads of cdn: got %s apart, want %s and at most checkout's refresh more", apart, ttl)
		}
	}
	for _, e := range of(h, history.KindFetched, "checkout") {
		if e.From != "cdn" {
			t.Errorf("fetched from %q, want cdn", e.From)
		}
	}
	learned := of(h, history.KindLearned, "checkout")
	if len(learned) != 2 || learned[1].At.Duration() < reads[1].Duration() {
		t.Errorf("learned: got %+v, want k2 only after cdn read again at %s", learned, reads[1].Wall())
	}
}

func TestEmitterDown(t *testing.T) {
	down := map[string]Span{"auth": {From: Moment{After: 2 * time.Second}, For: 20 * time.Second}}
	h := live(t, planned(t), Options{Down: down}, 40*time.Second)
	// Tokens live for 10 s; all of them have run out by 12 s.
	if got := sum(h, "app", 13*time.Second); got.Attempts == 0 {
		t.Error("attempts of app: got none at all after 13s, want them again when auth is back")
	}
	for _, e := range h.Events {
		if e.Kind == history.KindCounts && e.At > history.Offset(13*time.Second) && e.At < history.Offset(22*time.Second) {
			t.Errorf("counts at %s: got %d attempts, want none without a valid token", e.At.Wall(), e.Counts.Attempts)
		}
	}
	var held int64
	for _, client := range []string{"app", "web"} {
		for _, e := range of(h, history.KindSession, client) {
			held += e.Count
		}
	}
	if totals := h.Events[len(h.Events)-2].Totals; held == 0 || held != totals.NotSent {
		t.Errorf("held back: got %d by session, %d in the totals, want the same", held, totals.NotSent)
	}
	if len(of(h, history.KindFetchFailed, "search")) == 0 {
		t.Error("fetches of search that failed: got none, want one in 20s with a refresh of 15s")
	}
	if c := sum(h, "app", 0); c.AuthFailures > 0 {
		t.Errorf("auth failures: got %d, want none: an expired token is not sent", c.AuthFailures)
	}
}
