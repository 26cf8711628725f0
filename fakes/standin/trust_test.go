package standin

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/certs"
)

// TestAdoptServes: a stand-in that is told so speaks TLS with a certificate that its
// callers trust, and one that is not told so is called as before.
func TestAdoptServes(t *testing.T) {
	trust, err := certs.Given()
	if err != nil {
		t.Fatal(err)
	}
	if trust.Pair, err = certs.Issue("auth"); err != nil {
		t.Fatal(err)
	}
	for _, serves := range []bool{false, true} {
		trust.Serve = serves
		given, err := json.Marshal(trust)
		if err != nil {
			t.Fatal(err)
		}
		config, err := adopt(string(given))
		if err != nil || (config != nil) != serves {
			t.Fatalf("serve is %t: got a configuration %t and %v", serves, config != nil, err)
		}
		if !serves {
			continue
		}
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.TLS = config
		server.StartTLS()
		defer server.Close()
		client := &http.Client{Transport: certs.Trusting(&http.Transport{DisableKeepAlives: true})}
		resp, err := client.Get(server.URL)
		if err != nil {
			t.Fatalf("call it: %v", err)
		}
		_ = resp.Body.Close()
	}
}

// What cannot be read may have a key in it: the error has none of it.
func TestAdoptRefuses(t *testing.T) {
	for _, given := range []string{"no JSON", `{"ca": "no certificate"}`} {
		if _, err := adopt(given); err == nil || strings.Contains(err.Error(), "no ") {
			t.Errorf("%s: got %v, want an error without it", given, err)
		}
	}
	if _, err := adopt(""); err != nil {
		t.Errorf("nothing given: got %v", err)
	}
}
