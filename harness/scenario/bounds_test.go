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
		{"of an issuer", "{serve: verifier, library: jwx}\n  other: {serve: issuer, count: 2}", "rate: 1/s", "services.other.count: is for a verifier or a cache"},
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
