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
