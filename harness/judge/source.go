package judge

import (
	"embed"
	"slices"
)

// TypesSource has the files whose comments describe the types of a verdict, for its
// JSON Schema.
//
//go:embed verdict.go budget.go pods.go
var TypesSource embed.FS

// The words that can stand in a verdict, for its JSON Schema.
var (
	Verdicts   = []string{string(Pass), string(Fail), string(Inconclusive)}
	Outcomes   = append(slices.Clone(Verdicts), string(Skipped)) // of a rule
	Flatnesses = []string{string(Flat), string(NotFlat), string(CannotTell)}
	Levels     = []string{string(Error), string(Warning), string(Note)}
)
