package store

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestSealed(t *testing.T) {
	s := New("root", io.Discard)
	s.unsealKey = "open-sesame"
	ask := func(method, path, token, body string) (int, string) {
		t.Helper()
		req := httptest.NewRequest(method, "/v1/"+path, strings.NewReader(body))
		req.Header.Set("X-Vault-Token", token)
		recorder := httptest.NewRecorder()
		s.ServeHTTP(recorder, req)
		return recorder.Code, recorder.Body.String()
	}
	for _, step := range []struct {
		name, method, path, token, body string
		want                            int
	}{
		{"open", http.MethodGet, "sys/mounts", "root", "", http.StatusOK},
		{"sealed by a stranger", http.MethodPut, "sys/seal", "guess", "", http.StatusForbidden},
		{"sealed", http.MethodPut, "sys/seal", "root", "", http.StatusNoContent},
		{"asked", http.MethodGet, "sys/mounts", "root", "", http.StatusServiceUnavailable},
		{"asked for its health", http.MethodGet, "sys/health", "", "", http.StatusServiceUnavailable},
		{"unsealed with another key", http.MethodPut, "sys/unseal", "", `{"key": "guess"}`, http.StatusBadRequest},
		{"unsealed", http.MethodPut, "sys/unseal", "", `{"key": "open-sesame"}`, http.StatusOK},
		{"asked again", http.MethodGet, "sys/mounts", "root", "", http.StatusOK},
		{"healthy again", http.MethodGet, "sys/health", "", "", http.StatusOK},
	} {
		if got, body := ask(step.method, step.path, step.token, step.body); got != step.want {
			t.Errorf("%s: got %d %s, want %d", step.name, got, body, step.want)
		}
	}
	s.unsealKey = ""
	if got, _ := ask(http.MethodPut, "sys/seal", "root", ""); got != http.StatusNotFound {
		t.Errorf("without a key to open it again: got %d, want 404", got)
	}
}
