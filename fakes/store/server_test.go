package store_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/store"
)

// What agrees with Vault is held against it in harness/store; here is what
// this server does besides.

type reply struct {
	status int
	body   string
}

func do(s *store.Server, method, path, body, token string) reply {
	req := httptest.NewRequest(method, "/v1/"+path, strings.NewReader(body))
	req.Header.Set("X-Vault-Token", token)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, req)
	return reply{w.Code, w.Body.String()}
}

// TestRefusesWhatItHasNot must never answer as if it had done it.
func TestRefusesWhatItHasNot(t *testing.T) {
	tests := []struct {
		name, method, path, body string
		status                   int
	}{
		{"KV version 1", "POST", "sys/mounts/kv", `{"type":"kv"}`, http.StatusBadRequest},
		{"another engine", "POST", "sys/mounts/kv", `{"type":"transit"}`, http.StatusBadRequest},
		{"segment in a policy", "PUT", "sys/policies/acl/p", `{"policy":"path \"a/+/b\" { capabilities = [\"read\"] }"}`, http.StatusBadRequest},
		{"template in a policy", "PUT", "sys/policies/acl/p", `{"policy":"path \"a/{{identity.entity.id}}\" { capabilities = [\"read\"] }"}`, http.StatusBadRequest},
		{"parameters in a policy", "PUT", "sys/policies/acl/p", `{"policy":"path \"a\" { capabilities = [\"read\"]\n denied_parameters = { x = [] } }"}`, http.StatusBadRequest},
		{"batch token", "POST", "auth/token/create", `{"type":"batch"}`, http.StatusBadRequest},
		{"audit into a file", "PUT", "sys/audit/f", `{"type":"file","options":{"file_path":"/tmp/audit"}}`, http.StatusBadRequest},
		{"patch", "PATCH", "kv/data/a", `{"data":{}}`, http.StatusMethodNotAllowed},
		{"seal", "PUT", "sys/seal", `{}`, http.StatusNotFound},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := do(store.New("r", io.Discard), test.method, test.path, test.body, "r")
			if got.status != test.status {
				t.Errorf("got %d %s, want %d", got.status, got.body, test.status)
			}
		})
	}
}

func TestTokenEndsWithItsLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := store.New("r", io.Discard)
		do(s, "POST", "auth/token/create", `{"id":"short","policies":["p"],"ttl":"1m"}`, "r")
		time.Sleep(time.Minute - time.Nanosecond)
		if got := do(s, "GET", "auth/token/lookup-self", "", "short"); got.status != http.StatusOK {
			t.Errorf("just before its end: got %d %s, want 200", got.status, got.body)
		}
		time.Sleep(time.Nanosecond)
		if got := do(s, "GET", "auth/token/lookup-self", "", "short"); got.status != http.StatusForbidden {
			t.Errorf("at its end: got %d %s, want 403", got.status, got.body)
		}
	})
}

func TestRevokeEndsTokensBelow(t *testing.T) {
	s := store.New("r", io.Discard)
	do(s, "POST", "auth/token/create", `{"id":"parent","policies":["root"]}`, "r")
	do(s, "POST", "auth/token/create", `{"id":"child","policies":["p"]}`, "parent")
	do(s, "POST", "auth/token/create", `{"id":"orphan","policies":["p"],"no_parent":true}`, "parent")
	do(s, "POST", "auth/token/revoke", `{"token":"parent"}`, "r")
	for token, want := range map[string]int{"parent": http.StatusForbidden, "child": http.StatusForbidden, "orphan": http.StatusOK} {
		if got := do(s, "GET", "auth/token/lookup-self", "", token).status; got != want {
			t.Errorf("%s after the parent's revocation: got %d, want %d", token, got, want)
		}
	}
}

func TestPoliciesAddUpAndDenyWins(t *testing.T) {
	s := store.New("r", io.Discard)
	do(s, "POST", "sys/mounts/kv", `{"type":"kv-v2"}`, "r")
	do(s, "POST", "kv/data/a", `{"data":{}}`, "r")
	for name, caps := range map[string]string{"reads": `"read"`, "deletes": `"delete"`, "denies": `"deny"`} {
		text, err := json.Marshal(`path "kv/data/a" { capabilities = [` + caps + `] }`)
		if err != nil {
			t.Fatal(err)
		}
		do(s, "PUT", "sys/policies/acl/"+name, `{"policy":`+string(text)+`}`, "r")
	}
	do(s, "POST", "auth/token/create", `{"id":"two","policies":["reads","deletes"]}`, "r")
	do(s, "POST", "auth/token/create", `{"id":"three","policies":["reads","deletes","denies"]}`, "r")
	tests := []struct {
		token, method string
		want          int
	}{
		{"two", "GET", http.StatusOK}, {"two", "DELETE", http.StatusNoContent}, {"two", "POST", http.StatusForbidden},
		{"three", "GET", http.StatusForbidden}, {"three", "DELETE", http.StatusForbidden},
	}
	for _, test := range tests {
		if got := do(s, test.method, "kv/data/a", "", test.token).status; got != test.want {
			t.Errorf("%s %s: got %d, want %d", test.token, test.method, got, test.want)
		}
	}
}

// brokenLog fails every write.
type brokenLog struct{}

func (brokenLog) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// TestWhatCannotBeAuditedIsNotDone is Vault's rule too.
func TestWhatCannotBeAuditedIsNotDone(t *testing.T) {
	s := store.New("r", brokenLog{})
	do(s, "POST", "sys/mounts/kv", `{"type":"kv-v2"}`, "r")
	do(s, "PUT", "sys/audit/a", `{"type":"file","options":{"file_path":"stdout"}}`, "r")
	if got := do(s, "POST", "kv/data/a", `{"data":{}}`, "r"); got.status != http.StatusInternalServerError || !strings.Contains(got.body, "disk full") {
		t.Errorf("write: got %d %s, want 500 and the reason", got.status, got.body)
	}
}
