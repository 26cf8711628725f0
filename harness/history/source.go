package history

import "embed"

// TypesSource has the files whose comments describe the types of an event, for its
// JSON Schema.
//
//go:embed event.go keyset.go ledger.go machine.go shard.go
var TypesSource embed.FS
