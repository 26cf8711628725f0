package scenario

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/source/schematest"
)

func TestSchema(t *testing.T) {
	data, err := Schema("kill", "partition")
	if err != nil {
		t.Fatal(err)
	}
	schematest.Described(t, data)
	schematest.Allows(t, data, "testdata/example/scenario.yaml")
	schematest.Refuses(t, data, map[string]string{
		"an unknown key":         "lod: []",
		"an unknown key inside":  "services: {auth: {serv: issuer}}",
		"a gate mode of its own": "gates: maybe",
		"a stand-in that is not": "services: {auth: {serve: oracle}}",
		"a rate without a unit":  "load: [{client: a, to: b, rate: 5}]",
		"a missing key":          "load: [{client: a, to: b}]",
		"a fault that is not":    "faults: [{kind: partitoin, on: auth, at: emit}]",
		"a moment that is not":   "faults: [{kind: kill, on: auth, at: 10s}]",
		"bananas":                "baseline: 5 bananas",
	})
}
