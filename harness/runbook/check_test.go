package runbook

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func example(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("testdata/runbook.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestLoadFile(t *testing.T) {
	page, err := LoadFile("testdata/runbook.yaml")
	if err != nil {
		t.Fatalf("the example page: %v", err)
	}
	if got := page.Rollout.Lead.Duration(); got != 16*time.Minute {
		t.Errorf("lead: got %v, want 16m", got)
	}
	if got := len(page.Consumers); got != 3 {
		t.Errorf("got %d consumers, want 3", got)
	}
	if !page.Verification.Lists("canary") || page.Verification.Lists("prayer") {
		t.Errorf("checks %v: want canary listed and prayer not", page.Verification.Checks)
	}
}

func TestCheck(t *testing.T) {
	tests := []struct {
		name     string
		old, new string // what is replaced in the example page
		want     string
	}{
		{"unknown version", "rehearse/v1", "rehearse/v9", `1:13: apiVersion: is "rehearse/v9", want "rehearse/v1"`},
		{"unknown family", "jwt-signing-key,", "jwt-signing-keys,", `3:51: scope.family: unknown value "jwt-signing-keys" (did you mean "jwt-signing-key"?)`},
		{"unknown store", "store: vault", "store: etcd", `4:23: storage.store: unknown value "etcd" (one of vault)`},
		{"a path that is not KV v2", "secret/data/auth/session-signing-key", "secret/auth", `4:46: storage.publish.path: "secret/auth" is not MOUNT/data/PATH (as secret/data/auth/signing-key: segments of letters, digits and - _ . ~ @ : = , with one / between them)`},
		{"a path that leads elsewhere", "secret/data/auth/session-signing-key", "secret/data/../../sys/seal", `4:46: storage.publish.path: "secret/data/../../sys/seal" has the segment "..", which leads elsewhere (as secret/data/auth/signing-key: segments of letters, digits and - _ . ~ @ : = , with one / between them)`},
		{"a path in another encoding", "secret/data/auth/session-signing-key", "secret/data/%2e%2e", `4:46: storage.publish.path: "secret/data/%2e%2e" has '%' in it (as secret/data/auth/signing-key: segments of letters, digits and - _ . ~ @ : = , with one / between them)`},
		{"a path of Vault itself", "secret/data/auth/session-signing-key", "sys/data/key", `4:46: storage.publish.path: "sys/data/key" is not below the mount of a KV engine (as secret/data/auth/signing-key: segments of letters, digits and - _ . ~ @ : = , with one / between them)`},
		{"the path of the keyring", "secret/data/auth/session-signing-key", "secret/data/rehearse/keyring", `4:46: storage.publish.path: "secret/data/rehearse/keyring" is below rehearse/, where a rehearsal keeps its keyring (as secret/data/auth/signing-key: segments of letters, digits and - _ . ~ @ : = , with one / between them)`},
		{"a distribution of another family", "distribution: jwks", "distribution: file", `4:99: storage.distribution: "file" is not built for family jwt-signing-key (takes jwks)`},
		{"no path of the JWKS", ", jwks: /.well-known/jwks.json", "", `4:15: storage.jwks: "" is not a path (distribution jwks needs it, as /.well-known/jwks.json)`},
		{"unknown role", "[emit]", "[emti]", `6:3: consumers: no consumer emits (who signs or presents with the secret has the role emit)` + "\n" + `6:30: consumers[0].roles[0]: unknown value "emti" (did you mean "emit"?)`},
		{"unknown library", "library: keyfunc", "library: keyfnuc", `7:50: consumers[1].library: unknown value "keyfnuc" (did you mean "keyfunc"?)`},
		{"a consumer twice", "name: search", "name: checkout", `8:12: consumers[2].name: consumer "checkout" is given twice, first as consumers[1]`},
		{"a name that is no host", "name: search", "name: Search_1", `8:12: consumers[2].name: "Search_1" cannot be a name (it becomes a host name: lower-case letters, digits and hyphens, at most 63)`},
		{"a reserved name", "name: search", "name: store", `8:12: consumers[2].name: the name "store" is the harness's own (choose another)`},
		{"no figures", ", forgets_within: 15m", "", `8:5: consumers[2]: nothing says how long "search" learns and forgets (say its library, or learns_within and forgets_within)`},
		{"unknown type", "type: ES256", "type: HS256", `9:22: format.type: "HS256" is no type of family jwt-signing-key (did you mean "ES256"?)`},
		{"another identifier", "identifier: kid", "identifier: jti", `9:41: format.identifier: is "jti", and family jwt-signing-key is told apart by "kid"`},
		{"no longest life", ", longest_life: 10m", "", `9:15: format.longest_life: family jwt-signing-key needs a longest life (of a token: 10m)`},
		{"an alphabet of a key", "type: ES256", "type: ES256, alphabet: \"@\"", `9:39: format.alphabet: is for secrets that are texts, and those of family jwt-signing-key are keys (leave it out)`},
		{"bananas", "lead: 16m", "lead: 5 bananas", `10:22: rollout.lead: "5 bananas" is not a duration (write it as 30s, 10m, 1h30m or 90d)`},
		{"a negative duration", "window: 45m", "window: -45m", `11:24: overlap.window: "-45m" is a negative duration (write it as 30s, 10m, 1h30m or 90d)`},
		{"unknown check", "canary, logs", "canari, logs", `12:93: verification.checks[3]: unknown value "canari" (did you mean "canary"?)`},
		{"more than all", "99.9%", "199.9%", `12:33: verification.slo.objective: "199.9%" is more than there is (between 0% and 100%)`},
		{"no such day", "2027-02-01", "2027-02-30", `14:65: schedule.next_review: "2027-02-30" is not a date (write it as 2027-02-01)`},
		{"a refresh of nothing", "refresh: 30s", "refresh: 0", `6:50: consumers[0].refresh: must be more than 0 (30s is usual)`},
		{"a section is missing", "format:       {", "formatt:      {", `1:1: format: is missing` + "\n" + `9:1: unknown key "formatt" (did you mean "format"?)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := example(t)
			changed := strings.Replace(text, tt.old, tt.new, 1)
			if changed == text {
				t.Fatalf("the example has no %q", tt.old)
			}
			_, err := Load(fstest.MapFS{"p.yaml": {Data: []byte(changed)}}, "p.yaml")
			want := "p.yaml:" + strings.ReplaceAll(tt.want, "\n", "\np.yaml:")
			if err == nil || err.Error() != want {
				t.Errorf("got\n%v\nwant\n%s", err, want)
			}
		})
	}
}

// A page of another family needs no figures of its validator: it is the authority.
func TestCheckAPIKey(t *testing.T) {
	text := example(t)
	for _, change := range [][2]string{
		{"jwt-signing-key,", "api-key,"}, {"distribution: jwks, jwks: /.well-known/jwks.json", "distribution: poll"},
		{"type: ES256, identifier: kid, longest_life: 10m", "type: bearer, identifier: tag"},
		{", learns_within: 15m, forgets_within: 15m", ""},
	} {
		if !strings.Contains(text, change[0]) {
			t.Fatalf("the example has no %q", change[0])
		}
		text = strings.Replace(text, change[0], change[1], 1)
	}
	if _, err := Load(fstest.MapFS{"p.yaml": {Data: []byte(text)}}, "p.yaml"); err != nil {
		t.Errorf("got %v, want no problem", err)
	}
}

// 100,000 lines are refused before anything is made of them.
func TestLoadLongPage(t *testing.T) {
	var b strings.Builder
	b.WriteString("consumers:\n")
	for i := range 100_000 {
		fmt.Fprintf(&b, "  - {name: c%d, roles: [validate]}\n", i)
	}
	_, err := Load(fstest.MapFS{"p.yaml": {Data: []byte(b.String())}}, "p.yaml")
	if want := "p.yaml: is larger than 1 MiB"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
