// Command step-ca is the OIDC provisioner of Smallstep's certificate authority, which lets in whoever shows
// a token of the issuer, in front of nothing. Its own server asks it so before it signs a certificate, and
// answers an error as this does. It is a test dependency that is never linked into rehearse: hence a module
// of its own.
//
//	PORT ISSUER JWKS_URL AUDIENCE
package main

import (
	"encoding/json"
	"log"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/smallstep/certificates/api/render"
	"github.com/smallstep/certificates/authority/provisioner"
)

func main() {
	// It finds the key set by discovery, which is answered here.
	discovery, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		log.Fatal(http.Serve(discovery, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(map[string]string{"issuer": os.Getenv("ISSUER"), "jwks_uri": os.Getenv("JWKS_URL")})
		})))
	}()
	p := &provisioner.OIDC{Type: "OIDC", Name: "rehearse", ClientID: os.Getenv("AUDIENCE"), ConfigurationEndpoint: "http://" + discovery.Addr().String()}
	if err := p.Init(provisioner.Config{Claims: claims()}); err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if _, err := p.AuthorizeSign(r.Context(), strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")); err != nil {
			render.Error(w, r, err)
		}
	})
	log.Fatal(http.ListenAndServe(":"+os.Getenv("PORT"), nil))
}

// claims are what a certificate may be, which is no matter here; it does without no such claims.
func claims() provisioner.Claims {
	day := &provisioner.Duration{Duration: 24 * 3600 * 1e9}
	no := false
	return provisioner.Claims{
		MinTLSDur: day, MaxTLSDur: day, DefaultTLSDur: day, MinUserSSHDur: day, MaxUserSSHDur: day, DefaultUserSSHDur: day,
		MinHostSSHDur: day, MaxHostSSHDur: day, DefaultHostSSHDur: day, EnableSSHCA: &no, DisableRenewal: &no, AllowRenewalAfterExpiry: &no,
		DisableSmallstepExtensions: &no,
	}
}
