package live

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/plan/plantest"
)

// TestAnnotations: what a dashboard is to show is posted as Grafana takes it, and nothing else.
func TestAnnotations(t *testing.T) {
	var got []annotation
	grafana := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/grafana/api/annotations" || r.Header.Get("Authorization") != "Bearer t0ken" {
			t.Errorf("got %s %s by %q", r.Method, r.URL.Path, r.Header.Get("Authorization"))
		}
		var a annotation
		if err := json.NewDecoder(r.Body).Decode(&a); err != nil {
			t.Error(err)
		}
		got = append(got, a)
	}))
	defer grafana.Close()
	a := NewAnnotations(plantest.Plan(t, plantest.JWTPage, plantest.JWTScenario), grafana.URL+"/grafana/", "t0ken", func(err error) { t.Error(err) })
	a.now = func() time.Time { return time.UnixMilli(1_790_000_000_123) }
	for _, e := range events() {
		a.Event(e)
	}
	want := []string{
		"phase baseline", "phase emit", "fault partition on checkout → auth injected", "emit of k2 is done", "revoke of k1 failed: no answer",
		"fault partition on checkout → auth undone", "the gate of emit does not hold: checkout refuses k2", "the rotation ended: rolled back",
	}
	if len(got) != len(want) {
		t.Fatalf("got %d annotations, want %d: %v", len(got), len(want), got)
	}
	for i, text := range want {
		if !strings.HasSuffix(got[i].Text, ": "+text) || got[i].Time != 1_790_000_000_123 || !slices.Contains(got[i].Tags, "rehearse") {
			t.Errorf("annotation %d is %+v, want %q", i, got[i], text)
		}
	}
}

// TestAnnotationsThatFail: a Grafana that does not take them is told of once, and not asked again.
func TestAnnotationsThatFail(t *testing.T) {
	asked := 0
	grafana := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.WriteHeader(http.StatusForbidden)
	}))
	defer grafana.Close()
	var failed []string
	a := NewAnnotations(plantest.Plan(t, plantest.JWTPage, plantest.JWTScenario), grafana.URL, "", func(err error) { failed = append(failed, err.Error()) })
	for _, e := range events() {
		a.Event(e)
	}
	if asked != 1 || len(failed) != 1 || !strings.Contains(failed[0], "403") {
		t.Errorf("it was asked %d times, and told of: %v", asked, failed)
	}
}
