package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// server is one that speaks TLS with a certificate of its own; mutual wants one of its
// callers.
func server(t *testing.T, pair Pair, mutual bool) string {
	t.Helper()
	own, err := tls.X509KeyPair([]byte(pair.Certificate), []byte(pair.Key))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }))
	s.Config.ErrorLog = nil
	s.TLS = &tls.Config{Certificates: []tls.Certificate{own}}
	if mutual {
		trust, err := Given()
		if err != nil {
			t.Fatal(err)
		}
		s.TLS.ClientAuth, s.TLS.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		s.TLS.ClientCAs.AppendCertsFromPEM([]byte(trust.CA))
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

// TestCallers wants who trusts the authority to be let in, also where the server wants a
// certificate of its callers, and nobody to trust a certificate of another.
func TestCallers(t *testing.T) {
	ours, err := Issue("orders")
	if err != nil {
		t.Fatal(err)
	}
	another, err := newAuthority()
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := another.issue("orders")
	if err != nil {
		t.Fatal(err)
	}
	trust, err := Given()
	if err != nil {
		t.Fatal(err)
	}
	config, err := trust.Config()
	if err != nil {
		t.Fatal(err)
	}
	without, err := Trust{CA: trust.CA}.Config()
	if err != nil {
		t.Fatal(err)
	}
	unknown := &x509.UnknownAuthorityError{}
	for name, c := range map[string]struct {
		transport *http.Transport
		pair      Pair
		mutual    bool
		ok        bool
	}{
		"this process":                     {Trusting(&http.Transport{}), ours, false, true},
		"this process, mutual":             {Trusting(&http.Transport{}), ours, true, true},
		"who was given it":                 {&http.Transport{TLSClientConfig: config}, ours, true, true},
		"a certificate of another":         {Trusting(&http.Transport{}), theirs, false, false},
		"mutual, and nothing to be shown":  {&http.Transport{TLSClientConfig: without}, ours, true, false},
		"somebody who knows no authority":  {&http.Transport{}, ours, false, false},
		"who was given it, and of another": {&http.Transport{TLSClientConfig: config}, theirs, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			defer c.transport.CloseIdleConnections()
			answer, err := (&http.Client{Transport: c.transport}).Get(server(t, c.pair, c.mutual))
			if err == nil {
				answer.Body.Close()
			}
			if (err == nil) != c.ok {
				t.Errorf("got error %v, want one: %t", err, !c.ok)
			}
			if !c.ok && !c.mutual && !errors.As(err, unknown) {
				t.Errorf("got error %v, want that the authority is unknown", err)
			}
		})
	}
}

func TestTrustRefuses(t *testing.T) {
	if _, err := (Trust{CA: "no certificate"}).Config(); err == nil {
		t.Error("a CA that is none: got no error")
	}
	trust, err := Given()
	if err != nil {
		t.Fatal(err)
	}
	trust.Key = "no key"
	if _, err := trust.Config(); err == nil {
		t.Error("a key that is none: got no error")
	}
}
