// Command zitadel is an OpenID provider of zitadel/oidc with the storage of its example,
// whose signing keys an operator rotates by hand. The library asks its storage at each
// token for the key that signs, and at each fetch for the keys that are published, so
// that the order of the two is the operator's alone. It is a test dependency that is
// never linked into rehearse: hence a module of its own.
//
//	zitadel ADDRESS
//	POST /admin/make · publish?kid= · sign?kid= · withdraw?kid=
//
// The scope life-60 asks for a token that lives a minute.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"log"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// key is one that can sign.
type key struct {
	kid     string
	private *ecdsa.PrivateKey
}

func (k key) ID() string                                  { return k.kid }
func (k key) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.ES256 }
func (k key) Key() any                                    { return k.private }

// public is its half that is published.
type public struct{ key }

func (k public) Algorithm() jose.SignatureAlgorithm { return jose.ES256 }
func (k public) Use() string                        { return "sig" }
func (k public) Key() any                           { return &k.private.PublicKey }

// rotated is the example's storage, with keys that an operator rotates and clients
// that get tokens by client_credentials.
type rotated struct {
	*storage.Storage

	mu        sync.Mutex
	made      map[string]key
	signs     string
	published []string
}

func (s *rotated) newKey() string {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	kid := "z-" + rand.Text()[:8]
	s.made[kid] = key{kid, private}
	return kid
}

// SigningKey is asked for at each token.
func (s *rotated) SigningKey(context.Context) (op.SigningKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.made[s.signs], nil
}

func (s *rotated) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.ES256}, nil
}

// KeySet is asked for at each fetch.
func (s *rotated) KeySet(context.Context) ([]op.Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []op.Key
	for _, kid := range s.published {
		keys = append(keys, public{s.made[kid]})
	}
	return keys, nil
}

// service is a client that gets JWTs.
type service struct{ op.Client }

func (service) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }

func (s *rotated) ClientCredentials(ctx context.Context, id, secret string) (op.Client, error) {
	client, err := s.Storage.ClientCredentials(ctx, "sid1", secret)
	return service{client}, err
}

// ClientCredentialsTokenRequest is for any client: tests name theirs.
func (s *rotated) ClientCredentialsTokenRequest(_ context.Context, id string, scopes []string) (op.TokenRequest, error) {
	return &oidc.JWTTokenRequest{Subject: id, Audience: []string{"rehearse"}, Scopes: scopes}, nil
}

// CreateAccessToken has a token live as long as its scope asks for.
func (s *rotated) CreateAccessToken(_ context.Context, request op.TokenRequest) (string, time.Time, error) {
	life := time.Minute
	for _, scope := range request.GetScopes() {
		if seconds, is := strings.CutPrefix(scope, "life-"); is {
			n, err := strconv.Atoi(seconds)
			if err != nil {
				return "", time.Time{}, fmt.Errorf("read the life asked for: %w", err)
			}
			life = time.Duration(n) * time.Second
		}
	}
	return rand.Text(), time.Now().Add(life), nil
}

// admin is what an operator does to the keys.
func (s *rotated) admin(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kid := r.FormValue("kid")
	if what := r.PathValue("what"); what == "make" {
		kid = s.newKey()
	} else if _, there := s.made[kid]; !there {
		http.Error(w, "there is no such key", http.StatusNotFound)
		return
	}
	switch r.PathValue("what") {
	case "publish":
		if !slices.Contains(s.published, kid) {
			s.published = append(s.published, kid)
		}
	case "sign":
		s.signs = kid
	case "withdraw":
		s.published = slices.DeleteFunc(s.published, func(k string) bool { return k == kid })
	}
	fmt.Fprintln(w, kid)
}

func main() {
	address := os.Args[1]
	issuer := "http://" + address
	s := &rotated{Storage: storage.NewStorage(storage.NewUserStore(issuer)), made: map[string]key{}}
	s.signs = s.newKey()
	s.published = []string{s.signs}
	provider, err := op.NewProvider(&op.Config{CryptoKey: sha256.Sum256([]byte(rand.Text())), AuthMethodPost: true}, s, op.StaticIssuer(issuer), op.WithAllowInsecure())
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", provider)
	mux.HandleFunc("POST /admin/{what}", s.admin)
	log.Fatal((&http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: 5 * time.Second}).ListenAndServe())
}
