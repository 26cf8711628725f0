package harness

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/scenario"
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
