package scenario

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

func TestLoadRefusesMoreThanAMachineCarries(t *testing.T) {
	for _, tt := range []struct {
		name              string
		services, clients int
		want              string // empty: neither is too many
	}{
		{"as many as there may be", MostServices, MostClients, ""},
		{"2,000 services", 2000, 1, "services: has 2000 services, the most is 200"},
		{"2,000 clients", 2, 2000, "load: has 2000 clients, the most is 200"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			b.WriteString("apiVersion: rehearse/v1\nkind: Scenario\nrunbook: runbook.yaml\nservices:\n  auth: {serve: issuer}\n")
			for i := range tt.services - 1 {
				fmt.Fprintf(&b, "  v%d: {serve: verifier, library: jwx}\n", i)
			}
			b.WriteString("load:\n")
			for i := range tt.clients {
				fmt.Fprintf(&b, "  - {client: c%d, to: v0, rate: 1/s, token: {}}\n", i)
			}
			_, err := Load(fstest.MapFS{"s.yaml": {Data: []byte(b.String())}}, "s.yaml")
			got := fmt.Sprint(err)
			if tt.want == "" && strings.Contains(got, "the most is") || !strings.Contains(got, tt.want) {
				t.Errorf("got %.300s, want %q", got, tt.want)
			}
		})
	}
}

func TestLoadRefusesCounts(t *testing.T) {
	for _, tt := range []struct{ name, services, load, want string }{
		{"a fleet", "{serve: verifier, library: jwx, count: 50000}", "rate: 1/m, count: 1000000", ""},
		{"none", "{serve: verifier, library: jwx, count: 0}", "rate: 1/s", "services.v.count: is 0, want 1 to 10000000"},
		{"more than can be", "{serve: verifier, library: jwx, count: 10000001}", "rate: 1/s", "services.v.count: is 10000001, want 1 to 10000000"},
		{"of an issuer", "{serve: verifier, library: jwx}\n  other: {serve: issuer, count: 2}", "rate: 1/s", "services.other.count: is for a verifier, a checker, a receiver or a cache"},
		{"no client", "{serve: verifier, library: jwx}", "rate: 1/s, count: -1", "load[0].count: is -1, want 1 to 10000000"},
		{"more requests than can be", "{serve: verifier, library: jwx}", "rate: 10/s, count: 1000000",
			"load[0].count: 1000000 of them make 10000000 requests in a second, the most is 1000000 (100000 at that rate)"},
	} {
		text := "apiVersion: rehearse/v1\nkind: Scenario\nrunbook: runbook.yaml\nservices:\n  auth: {serve: issuer}\n  v: " + tt.services +
			"\nload:\n  - {client: web, to: v, token: {}, " + tt.load + "}\n"
		_, err := Load(fstest.MapFS{"s.yaml": {Data: []byte(text)}}, "s.yaml")
		got := fmt.Sprint(err)
		if tt.want == "" && strings.Contains(got, "count") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %.300s, want %q", tt.name, got, tt.want)
		}
	}
}

func TestLoadRefusesRollouts(t *testing.T) {
	for _, tt := range []struct{ name, service, want string }{
		{"in batches", "{serve: checker, distribution: env, rollout: 20m, batches: 15}", ""},
		{"of files", "{serve: checker, distribution: file, delay: 1m, rollout: 20m}", ""},
		{"of many", "{serve: checker, distribution: env, count: 300, rollout: 20m}", ""},
		{"in no time", "{serve: checker, distribution: env, rollout: 0s}", "services.v.rollout: must be more than 0"},
		{"in no batch", "{serve: checker, distribution: env, rollout: 20m, batches: 0}", "services.v.batches: is 0, want 1 to 1000"},
		{"in too many", "{serve: checker, distribution: env, rollout: 20m, batches: 1001}", "services.v.batches: is 1001, want 1 to 1000"},
		{"in batches of which nobody says how long they take", "{serve: checker, distribution: env, batches: 4}", "services.v.batches: says in how many parts"},
		{"of one that reads the store", "{serve: checker, distribution: poll, rollout: 20m}", "services.v.rollout: is for distribution env, file"},
		{"of one that reads no secret", "{serve: verifier, library: jwx, rollout: 20m}", "services.v.rollout: is for those to whom the secret is brought"},
		{"of a team's own", "{command: [own], rollout: 20m}", "services.v.rollout: is for a stand-in"},
	} {
		text := "apiVersion: rehearse/v1\nkind: Scenario\nrunbook: runbook.yaml\nservices:\n  auth: {serve: issuer}\n  v: " + tt.service +
			"\nload:\n  - {client: web, to: v, token: {}, rate: 1/s}\n"
		_, err := Load(fstest.MapFS{"s.yaml": {Data: []byte(text)}}, "s.yaml")
		got := fmt.Sprint(err)
		if tt.want == "" && (strings.Contains(got, "rollout") || strings.Contains(got, "batches")) || !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %.300s, want %q", tt.name, got, tt.want)
		}
	}
}
