package runbook

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/source/schematest"
)

func TestSchema(t *testing.T) {
	data, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	schematest.Described(t, data)
	schematest.Allows(t, data, "testdata/runbook.yaml")
	schematest.Refuses(t, data, map[string]string{
		"an unknown key":         "surprise: 1",
		"an unknown key inside":  "scope: {name: a, family: api-key, owner: me}",
		"a value that is none":   "scope: {name: a, family: password}",
		"a library that is none": "consumers: [{name: a, roles: [emit], library: homemade}]",
		"bananas":                "rollout: {lead: 5 bananas, watch: 1m}",
		"a missing key":          "rollout: {lead: 5m}",
		"a share without a sign": "verification: {slo: {objective: 99.9}}",
	})
}
