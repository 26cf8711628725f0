package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// given is what is published, as the store gives it.
func given(t *testing.T, document string) published {
	t.Helper()
	p := published{encoded: []byte(document)}
	if err := json.Unmarshal(p.encoded, &p.document); err != nil {
		t.Fatal(err)
	}
	return p
}

const twoLogins = `{"emit":"k1","keys":[{"tag":"k1","user":"shop_k1","password":"one"},{"tag":"k2","user":"shop_k2","password":"t@w/o"}]}`

// TestTheSecretInTheTeamsOwnFormat: one published login in the formats that services read.
func TestTheSecretInTheTeamsOwnFormat(t *testing.T) {
	at := func(w contract.Word) (string, error) {
		if w == "db.host" {
			return "127.0.0.1", nil
		}
		return "", errors.New("no such service")
	}
	for _, tt := range []struct{ name, document, text, want string }{
		{"a value alone", twoLogins, "{{ .secret.value }}\n", "one\n"},
		{"dotenv", twoLogins, "NOW={{ .secret.value | dotenv }}\nNEXT={{ .secret.other.value | dotenv }}", "NOW=\"one\"\nNEXT=\"t@w/o\""},
		{"a DSN", strings.Replace(twoLogins, `"k1"`, `"k2"`, 1), "postgres://{{ .secret.user }}:{{ .secret.value | urlquery }}@{{ .db.host }}/shop", "postgres://shop_k2:t%40w%2Fo@127.0.0.1/shop"},
		{"JSON of the team's shape", twoLogins, `{"id": {{ .secret.identifier | json }}, "all": {{ .secret.values | json }}}`, `{"id": "k1", "all": ["one","t@w/o"]}`},
		{"the newest of the others", `{"emit":"k2","keys":[{"tag":"k1","value":"1"},{"tag":"k2","value":"2"},{"tag":"k3","value":"3"}]}`, "{{ .secret.other.identifier }} {{ .secret.identifiers }}", "k3 k2,k3,k1"},
		{"no other", `{"emit":"k1","keys":[{"tag":"k1","value":"1"}]}`, "PREVIOUS={{ .secret.other.value }}", "PREVIOUS="},
		{"a value that looks like a word", `{"emit":"k1","keys":[{"tag":"k1","value":"{{ .db.host }}"}]}`, "{{ .secret.value }}", "{{ .db.host }}"},
	} {
		if got, err := rendered(tt.text, given(t, tt.document), at); err != nil || got != tt.want {
			t.Errorf("%s: got %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
	if _, err := rendered("{{ .cache.host }}", given(t, twoLogins), at); err == nil {
		t.Error("want an error for a service that is not there")
	}
}

// TestASigningKeyAsAFile: an issuer of a team's own reads its key in PEM, or as a JWK.
func TestASigningKeyAsAFile(t *testing.T) {
	const key = `{"emit":"a","keys":[{"kid":"a","alg":"ES256","jwk":{"kty":"EC","crv":"P-256","kid":"a","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}}]}`
	got, err := rendered("{{ .secret.identifier }}\n{{ .secret.value }}\n{{ .secret.jwk }}", given(t, key), nil)
	if err != nil || !strings.HasPrefix(got, "a\n-----BEGIN PRIVATE KEY-----\n") || !strings.Contains(got, `"kty":"EC"`) {
		t.Errorf("got %v and %d bytes, want a kid, a key in PEM and a JWK", err, len(got))
	}
	// Who only checks is given nothing that signs.
	got, err = rendered("{{ .secret.jwks }}\n{{ .secret.public_jwk }}\n{{ .secret.public }}", given(t, key), nil)
	set, rest, _ := strings.Cut(got, "\n")
	jwk, public, _ := strings.Cut(rest, "\n")
	if err != nil || set != `{"keys":[`+jwk+"]}" || !strings.Contains(jwk, `"x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"`) || !strings.HasPrefix(public, "-----BEGIN PUBLIC KEY-----\n") {
		t.Errorf("got %v and %s, want a set of one public key, the key as a JWK, and in PEM", err, got)
	}
	if strings.Contains(got, `"d"`) || strings.Contains(got, "PRIVATE") {
		t.Errorf("got %s, want no private key in it", got)
	}
}

// TestOwnFilesAreWritten: what has the secret is written for the service, and anew
// when that changes; what has not is left for the container.
func TestOwnFilesAreWritten(t *testing.T) {
	s := plan.Service{Name: "shop", Reads: true, Service: scenario.Service{
		Image: "shop", Distribution: runbook.File,
		Files: map[string]string{"/run/secrets/db": "{{ .secret.user }}@{{ .db.host }}", "/etc/shop.conf": "plain"},
	}}
	root := t.TempDir()
	d, document, _ := newTestDelivery("database-password")
	d.rolled = nil
	d.files = []*fileDelivery{{service: "shop", folder: filepath.Join(root, "shop"), write: writesTo(filepath.Join(root, "shop")), queue: make(chan fileUpdate, parcels), own: ownFiles(s), bare: isBare(s)}}
	spec := world.Spec{Name: "shop", Image: "shop", Files: s.Files}
	d.Configure(&spec, s)
	specs := []world.Spec{spec}
	document["emit"], document["keys"] = "k1", []any{map[string]any{"tag": "k1", "user": "shop_k1", "password": "one"}}
	if err := d.Begin(t.Context(), specs); err != nil {
		t.Fatal(err)
	}
	if len(specs[0].Files) != 1 || specs[0].Files["/etc/shop.conf"] != "plain" {
		t.Errorf("left to be copied: got %v, want /etc/shop.conf", specs[0].Files)
	}
	if err := specs[0].Before(func(contract.Word) (string, error) { return "db", nil }); err != nil {
		t.Fatal(err)
	}
	at := specs[0].Links["/run/secrets/db"]
	read := func() string {
		content, err := os.ReadFile(at)
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	if got := read(); got != "shop_k1@db" {
		t.Errorf("at the start: got %q", got)
	}
	wrote := make(chan string, 1)
	d.hooks.Wrote = func(service, what, identifier string, _ time.Time) { wrote <- service + " " + what + " " + identifier }
	document["keys"] = append(document["keys"].([]any), map[string]any{"tag": "k2", "user": "shop_k2", "password": "two"})
	if err := d.deliver(t.Context()); err != nil { // accepted: no news for this file
		t.Fatal(err)
	}
	document["emit"] = "k2"
	if err := d.deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := <-wrote; got != "shop file k2" {
		t.Errorf("told of %q, want of k2 alone", got)
	}
	if got := read(); got != "shop_k2@db" {
		t.Errorf("after the emit: got %q", got)
	}
	if entries, err := os.ReadDir(filepath.Join(root, "shop")); err != nil || len(entries) != 3 { // the file, ..data and its version
		t.Errorf("in its folder: got %v, %v", entries, err)
	}
	if err := d.End(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestAnEnvironmentWithAnAddress: a process that is started anew gets it whole.
func TestAnEnvironmentWithAnAddress(t *testing.T) {
	d, document, _ := newTestDelivery("database-password")
	d.own = map[string]map[string]string{}
	document["emit"], document["keys"] = "k1", []any{map[string]any{"tag": "k1", "user": "u1", "password": "one"}}
	var got []string
	d.redeploy = func(_ context.Context, _ string, environment map[string]string) error {
		got = append(got, environment["DSN"])
		return nil
	}
	specs := []world.Spec{{Name: "billing", Command: []string{"billing"}, Environment: map[string]string{"DSN": "{{ .secret.user }}:{{ .secret.value }}@{{ .db.host }}", "LOG": "{{ .db.url }}"}}}
	if err := d.Begin(t.Context(), specs); err != nil {
		t.Fatal(err)
	}
	if err := specs[0].Before(func(contract.Word) (string, error) { return "127.0.0.1", nil }); err != nil {
		t.Fatal(err)
	}
	if want := "u1:one@{{ .db.host }}"; specs[0].Environment["DSN"] != want {
		t.Errorf("at the start: got %q, want %q, of which the runtime knows the rest", specs[0].Environment["DSN"], want)
	}
	document["emit"], document["keys"] = "k2", []any{map[string]any{"tag": "k2", "user": "u2", "password": "two"}}
	if err := d.deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0] != "u2:two@127.0.0.1" {
		t.Errorf("started anew with %q", got)
	}
	if err := d.End(t.Context()); err != nil {
		t.Error(err)
	}
}
