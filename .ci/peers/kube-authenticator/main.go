// Command kube-authenticator is what kube-apiserver asks about a token of an OIDC issuer
// (AuthenticationConfiguration, jwt), in front of nothing. It is a test dependency that is never linked
// into rehearse: hence a module of its own.
//
//	PORT ISSUER JWKS_URL AUDIENCE
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/plugin/pkg/authenticator/token/oidc"
)

// discovered answers for the issuer, whose name is all that there is of it, where the key set is; that is
// fetched where it is.
type discovered struct{}

func (discovered) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration") {
		return http.DefaultTransport.RoundTrip(r)
	}
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	err := json.NewEncoder(w).Encode(map[string]string{"issuer": os.Getenv("ISSUER"), "jwks_uri": os.Getenv("JWKS_URL")})
	return w.Result(), err
}

func main() {
	prefix := ""
	authenticator, err := oidc.New(context.Background(), oidc.Options{
		JWTAuthenticator: apiserver.JWTAuthenticator{
			Issuer:        apiserver.Issuer{URL: os.Getenv("ISSUER"), Audiences: []string{os.Getenv("AUDIENCE")}},
			ClaimMappings: apiserver.ClaimMappings{Username: apiserver.PrefixedClaimOrExpression{Claim: "sub", Prefix: &prefix}},
		},
		Client:               &http.Client{Transport: discovered{}},
		SupportedSigningAlgs: oidc.AllValidSigningAlgorithms(), // as kube-apiserver does for a jwt authenticator of its configuration
	})
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		if err := authenticator.HealthCheck(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		_, ok, err := authenticator.AuthenticateToken(r.Context(), strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		if err != nil || !ok {
			http.Error(w, "Unauthorized", http.StatusUnauthorized) // as kube-apiserver answers
		}
	})
	log.Fatal(http.ListenAndServe(":"+os.Getenv("PORT"), nil))
}
