// identity: signs access tokens (auth), and an API that checks them by the key set, which it fetches every CACHE_TTL and never sooner (search).
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

var mu sync.Mutex
var keys = map[string]*ecdsa.PrivateKey{}
var published []string
var active string

func newKey() string {
	id := make([]byte, 4)
	rand.Read(id)
	kid := "sig-" + hex.EncodeToString(id)
	keys[kid], _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return kid
}

func coordinate(n interface{ FillBytes([]byte) []byte }) string {
	return base64.RawURLEncoding.EncodeToString(n.FillBytes(make([]byte, 32)))
}

func auth() {
	active = newKey()
	published = []string{active}
	http.HandleFunc("GET /jwks", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		set := []map[string]string{}
		for _, kid := range published {
			k := keys[kid]
			set = append(set, map[string]string{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": kid, "x": coordinate(k.X), "y": coordinate(k.Y)})
		}
		json.NewEncoder(w).Encode(map[string]any{"keys": set})
	})
	http.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		kid, life := active, 6
		if ttl, err := strconv.Atoi(r.FormValue("ttl")); err == nil {
			life = ttl
		}
		if asked := r.FormValue("kid"); asked != "" { // operators try a key out before it is used
			kid = asked
		}
		if keys[kid] == nil {
			http.Error(w, "no such key", 400)
			return
		}
		now := time.Now()
		t := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{"sub": r.FormValue("client_id"), "iat": now.Unix(), "exp": now.Add(time.Duration(life) * time.Second).Unix()})
		t.Header["kid"] = kid
		signed, err := t.SignedString(keys[kid])
		if err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"access_token": signed, "token_type": "Bearer", "expires_in": life})
	})
	http.HandleFunc("POST /admin/{what}", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		kid := r.FormValue("kid")
		switch r.PathValue("what") {
		case "make":
			kid = newKey()
		case "publish":
			published = append(published, kid)
		case "activate":
			active = kid
		case "unpublish":
			published = slices.DeleteFunc(published, func(k string) bool { return k == kid })
		}
		fmt.Fprintln(w, kid)
	})
	http.HandleFunc("GET /admin/active", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintln(w, active)
	})
}

func search() {
	ttl, err := time.ParseDuration(os.Getenv("CACHE_TTL"))
	if err != nil {
		log.Fatal(err)
	}
	var fetched time.Time
	known := map[string]*ecdsa.PublicKey{}
	keyOf := func(t *jwt.Token) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(fetched) > ttl {
			resp, err := http.Get(os.Getenv("JWKS_URL"))
			if err != nil {
				return nil, err
			}
			defer resp.Body.Close()
			var set struct{ Keys []struct{ Kid, X, Y string } }
			if err := json.NewDecoder(resp.Body).Decode(&set); err != nil {
				return nil, err
			}
			fetched, known = time.Now(), map[string]*ecdsa.PublicKey{}
			for _, k := range set.Keys {
				x, _ := base64.RawURLEncoding.DecodeString(k.X)
				y, _ := base64.RawURLEncoding.DecodeString(k.Y)
				known[k.Kid], _ = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
			}
		}
		key := known[fmt.Sprint(t.Header["kid"])]
		if key == nil {
			return nil, fmt.Errorf("unknown key")
		}
		return key, nil
	}
	http.HandleFunc("GET /search", func(w http.ResponseWriter, r *http.Request) {
		raw := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if _, err := jwt.Parse(raw, keyOf, jwt.WithValidMethods([]string{"ES256"})); err != nil {
			http.Error(w, err.Error(), 401)
			return
		}
		fmt.Fprintln(w, "{}")
	})
}

func main() {
	http.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {})
	if os.Args[1] == "auth" {
		auth()
	} else {
		search()
	}
	log.Fatal(http.ListenAndServe(os.Getenv("LISTEN"), nil))
}
