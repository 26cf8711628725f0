package jwt

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestKeyServer(t *testing.T) {
	k := &keyServer{sets: map[string]KeySet{}, fetches: map[string]int64{}}
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /{name}", k.put)
	mux.HandleFunc("GET /{name}", k.count)
	mux.HandleFunc("GET /{name}/jwks.json", k.jwks)
	server := httptest.NewServer(mux)
	defer server.Close()
	ask := func(method, path, body string) (int, string, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		said, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, strings.TrimSpace(string(said)), resp.Header.Get("Cache-Control")
	}
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
		said, cached             string
	}{
		{"a set that was not put", "GET", "/a/jwks.json", "", 404, "", ""},
		{"put", "PUT", "/a", `{"status": 200, "cache_control": "max-age=5", "body": {"keys": []}}`, 204, "", ""},
		{"asked for", "GET", "/a/jwks.json", "", 200, `{"keys": []}`, "max-age=5"},
		{"broken", "PUT", "/a", `{"status": 503, "body": {"error": "down"}}`, 204, "", ""},
		{"asked for when broken", "GET", "/a/jwks.json", "", 503, `{"error": "down"}`, ""},
		{"counted", "GET", "/a", "", 200, "3", ""},
		{"another is counted apart", "GET", "/b", "", 200, "0", ""},
		{"no set", "PUT", "/a", "{", 400, "", ""},
	} {
		status, said, cached := ask(tt.method, tt.path, tt.body)
		if status != tt.status || tt.said != "" && said != tt.said || cached != tt.cached {
			t.Errorf("%s: got %d %s %q, want %d %s %q", tt.name, status, said, cached, tt.status, tt.said, tt.cached)
		}
	}
}
