package jwt

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/rehearse-dev/rehearse/fakes/standin"
)

// static loads the key set at its start and never again, as HAProxy's
// jwt_verify and PostgREST do until they are reloaded.
type static struct {
	keys   map[string]any // public keys by kid
	kids   []string
	parser *jwt.Parser
}

var _ library = static{}

func newStatic(ctx context.Context, c settings) (library, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.JWKS, nil)
	if err != nil {
		return nil, "", err
	}
	set, err := fetchSet(http.DefaultClient, req, nil)
	if err != nil {
		return nil, "", err
	}
	s := static{keys: map[string]any{}, parser: newParser(c)}
	for _, key := range set.Keys {
		s.keys[key.KeyID] = key.Key
		s.kids = append(s.kids, key.KeyID)
	}
	return s, "static: keys loaded at the start, never again", nil
}

// Verify takes what is signed with a key that it was given at its start.
func (s static) Verify(_ context.Context, raw string) (string, error) {
	return parseWith(s.parser, raw, func(token *jwt.Token) (any, error) {
		kid, _ := token.Header["kid"].(string)
		key, ok := s.keys[kid]
		if !ok {
			return nil, fmt.Errorf("kid %q is not among the keys loaded at the start", kid)
		}
		return key, nil
	})
}

// Keeps are the keys of its start, whatever was fetched.
func (s static) Keeps([]string) []string { return s.kids }

// Close has nothing to wait for: it runs nothing by itself.
func (static) Close() error { return nil }

// fetchSet fetches a key set. Use, if given, is called with the set before the
// body is closed: an observer takes the closing for the moment from which the
// set is in use.
func fetchSet(client *http.Client, req *http.Request, use func(jose.JSONWebKeySet) error) (jose.JSONWebKeySet, error) {
	var set jose.JSONWebKeySet
	resp, err := client.Do(req)
	if err != nil {
		return set, fmt.Errorf("fetch key set: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return set, fmt.Errorf("fetch key set: GET %s answered %s, want 200", req.URL, resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, standin.MaxDocument))
	if err != nil {
		return set, fmt.Errorf("fetch key set: %w", err)
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return set, fmt.Errorf("fetch key set: parse answer: %w", err)
	}
	if use != nil {
		if err := use(set); err != nil {
			return set, fmt.Errorf("fetch key set: %w", err)
		}
	}
	return set, nil
}
