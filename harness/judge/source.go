package judge

import "embed"

// TypesSource has the files whose comments describe the types of a verdict, for its
// JSON Schema.
//
//go:embed verdict.go budget.go pods.go
var TypesSource embed.FS
