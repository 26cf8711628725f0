package scenario

import (
	"embed"
	"io/fs"
	"reflect"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/protocol"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/source/schema"
)

// typesSource are the files whose comments describe the types.
//
//go:embed scenario.go attach.go attach_seen.go attach_kubernetes.go attach_rotator.go external.go rate.go pace.go moment.go shift.go vary.go measured.go target.go
var typesSource embed.FS

// MomentPattern is what a Moment looks like in a file, as a regular expression.
const MomentPattern = `^[a-z]+(\+[0-9a-z.]+)?$`

// Schema is the JSON Schema (draft 2020-12) of a scenario. Faults are the kinds
// that there are; none: any.
func Schema(faults ...string) ([]byte, error) {
	return schema.Of(Scenario{}, schema.Format{
		Title: "rehearse scenario",
		Patterns: map[reflect.Type]string{
			reflect.TypeFor[runbook.Duration](): runbook.DurationPattern,
			reflect.TypeFor[runbook.Percent]():  runbook.PercentPattern,
			reflect.TypeFor[Rate]():             RatePattern,
			reflect.TypeFor[Moment]():           MomentPattern,
			reflect.TypeFor[Shift]():            ShiftPattern,
		},
		Values: map[string][]string{
			"Scenario.apiVersion":    {runbook.APIVersion},
			"Scenario.kind":          {Kind},
			"Scenario.gates":         GateModes,
			"Scenario.runtime":       {Simulated},
			"Scenario.on_budget":     OnBudgets,
			"Scenario.rollback_from": RollbackPhases(),
			"Service.serve":          ServeKinds,
			"Service.library":        runbook.LibraryNames(),
			"Service.scale":          Scales,
			"Service.distribution":   runbook.Distributions,
			"Service.idempotency":    Idempotencies,
			"Reload.signal":          Signals,
			"Request.protocol":       protocol.Names,
			"Token.on_refusal":       OnRefusals,
			"Decisions.format":       DecisionFormats,
			"KeyClient.algorithm":    contract.AssertionAlgorithms,
			"Fault.kind":             faults,
			"Expect.verdict":         Verdicts,
			"Expect.extra":           Extras,
		},
		Sources: []fs.FS{typesSource, contract.TokenSource},
	})
}
