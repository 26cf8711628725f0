package contract

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"path"
	"slices"
	"strings"
)

type controlKey struct{}

// WithControl is a context of a stand-in that is controlled with a token.
func WithControl(ctx context.Context, token string) context.Context {
	return context.WithValue(ctx, controlKey{}, token)
}

// ControlOf is the token of WithControl; empty: the stand-in asks for none.
func ControlOf(ctx context.Context) string {
	token, _ := ctx.Value(controlKey{}).(string)
	return token
}

// Guard asks for a token at some paths, where one that ends in / stands for all
// below it. Everybody on a machine reaches what listens on its loopback, and
// nobody but the run is to end its load or its queues. Without a token it asks
// for none.
func Guard(token string, next http.Handler, paths ...string) http.Handler {
	if token == "" {
		return next
	}
	guarded := RequireToken(token, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		clean := path.Clean("/" + r.URL.Path)
		if slices.ContainsFunc(paths, func(p string) bool {
			return clean == p || strings.HasSuffix(p, "/") && strings.HasPrefix(clean+"/", p)
		}) {
			guarded.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// RequireToken asks for a bearer token, which it compares in constant time.
func RequireToken(token string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(Bearer(r)), []byte(token)) != 1 {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			// An error is that of a client that left.
			_ = json.NewEncoder(w).Encode(map[string]string{"error": "the token of this run is needed"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Bearer is the token of an Authorization header (RFC 6750 §2.1), or "".
func Bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// SetBearer has a request carry a token; an empty one is left out.
func SetBearer(r *http.Request, token string) {
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
}
