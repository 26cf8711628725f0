package runbook

import (
	"embed"
	"io/fs"
	"reflect"

	"github.com/rehearse-dev/rehearse/harness/source/schema"
)

// TypesSource has the files whose comments describe the types of a page, for a JSON Schema.
//
//go:embed runbook.go duration.go percent.go
var TypesSource embed.FS

// Schema is the JSON Schema (draft 2020-12) of a page.
func Schema() ([]byte, error) {
	return schema.Of(Runbook{}, schema.Format{
		Title: "rehearse runbook",
		Patterns: map[reflect.Type]string{
			reflect.TypeFor[Duration](): DurationPattern,
			reflect.TypeFor[Percent]():  PercentPattern,
		},
		Values: map[string][]string{
			"Runbook.apiVersion":   {APIVersion},
			"Runbook.kind":         {Kind},
			"Scope.family":         FamilyNames(),
			"Storage.store":        Stores,
			"Storage.distribution": Distributions,
			"Consumer.roles":       Roles,
			"Consumer.library":     LibraryNames(),
			"Verification.checks":  Checks,
		},
		Sources: []fs.FS{TypesSource},
	})
}
