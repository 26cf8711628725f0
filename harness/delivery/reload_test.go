package delivery

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

func TestCallWantsASuccess(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /reload", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Key") != "letmein" {
			w.WriteHeader(http.StatusForbidden)
		}
	})
	mux.Handle("/moved", http.RedirectHandler("/login", http.StatusSeeOther))
	mux.HandleFunc("/login", func(http.ResponseWriter, *http.Request) {})
	server := httptest.NewServer(mux)
	defer server.Close()
	for _, tt := range []struct {
		name    string
		request scenario.Request
		want    string // of the error; "": none
	}{
		{"a success", scenario.Request{Method: "POST", Path: "/reload", Headers: map[string]string{"X-Key": "letmein"}}, ""},
		{"a refusal", scenario.Request{Method: "POST", Path: "/reload"}, "POST /reload answered 403"},
		{"a redirect to a page", scenario.Request{Path: "/moved"}, "GET /moved answered 303"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := call(t.Context(), server.URL, tt.request)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// idle is a runtime of no optional ability.
type idle struct{ world.Runtime }

func (idle) Name() string { return "idle" }

// able is one that keeps what it was asked for.
type able struct {
	idle
	did []string
}

func (a *able) Signal(_ context.Context, service, signal string) error {
	a.did = append(a.did, "signal "+signal+" to "+service)
	return nil
}

func (a *able) Redeploy(_ context.Context, service string, environment map[string]string) error {
	a.did = append(a.did, fmt.Sprint("redeploy ", service, " with ", len(environment), " variables"))
	return nil
}

func TestReloader(t *testing.T) {
	for _, tt := range []struct {
		reload scenario.Reload
		did    string
		unable string // how the runtime that is not able says so
	}{
		{scenario.Reload{Signal: "HUP"}, "signal HUP to checkout", "the runtime idle cannot signal checkout"},
		{scenario.Reload{Restart: true}, "redeploy checkout with 0 variables", "the runtime idle cannot start checkout anew"},
	} {
		s := plan.Service{Service: scenario.Service{Reload: &tt.reload}, Name: "checkout"}
		if _, err := reloader(s, idle{}); err == nil || !strings.Contains(err.Error(), tt.unable) {
			t.Errorf("got %v, want %q", err, tt.unable)
		}
		runtime := &able{}
		reload, err := reloader(s, runtime)
		if err != nil {
			t.Fatal(err)
		}
		if err := reload(t.Context()); err != nil || !slices.Equal(runtime.did, []string{tt.did}) {
			t.Errorf("got %q, %v; want %q", runtime.did, err, tt.did)
		}
	}
}

// TestReloadingUses: which credential is emitted is news to one that presents it,
// as a pooler does, and none to one that only checks.
func TestReloadingUses(t *testing.T) {
	document := func(emit string) map[string]any { return map[string]any{"emit": emit, "keys": []any{"k1", "k2"}} }
	for _, tt := range []struct{ emits, want bool }{{true, true}, {false, false}} {
		r := &reloading{emits: tt.emits}
		if news := r.uses(document("k1")) != r.uses(document("k2")); news != tt.want {
			t.Errorf("emits: %v: an emit is news: %v, want %v", tt.emits, news, tt.want)
		}
	}
}

// TestAReloadAfterTheFile: who is made to reload some time after its file was written
// is not made to at once.
func TestAReloadAfterTheFile(t *testing.T) {
	for _, tt := range []struct {
		after, delay runbook.Duration
		later        bool
	}{{0, 0, false}, {runbook.Duration(time.Minute), 0, true}, {runbook.Duration(time.Minute), runbook.Duration(2 * time.Minute), false}} {
		s := plan.Service{Name: "checkout", Service: scenario.Service{
			Distribution: runbook.File, Delay: tt.delay, Reload: &scenario.Reload{Signal: "HUP", After: tt.after},
		}}
		d := &Delivery{files: []*fileDelivery{{service: s.Name}}}
		if err := d.prepareReloads(&plan.Plan{Limits: plan.Limits{Speed: 1}, Services: []plan.Service{s}}, &able{}); err != nil {
			t.Fatal(err)
		}
		if got := d.files[0].reload == nil && len(d.reloads) == 1 && d.reloads[0].after == tt.after.Duration(); got != tt.later {
			t.Errorf("after %s of a file that is %s late: it reloads later: %v, want %v", tt.after, tt.delay, got, tt.later)
		}
	}
}
