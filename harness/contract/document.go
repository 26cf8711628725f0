package contract

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// Held is what a consumer says that it holds (GET DisturbPath), for comparison
// with what is published: fingerprints and no value.
type Held struct {
	Emit string            `json:"emit"`
	Keys map[string]string `json:"keys"` // the fingerprint of each entry, by its name
}

// HeldOf is what the holder of a published document says of it. A document has
// the name of the credential to emit, and an entry for each that is accepted.
func HeldOf(document map[string]any) Held {
	held := Held{Keys: map[string]string{}}
	held.Emit, _ = document["emit"].(string)
	entries, _ := document["keys"].([]any)
	for _, entry := range entries {
		fields, _ := entry.(map[string]any)
		held.Keys[EntryName(fields)] = fingerprint(fields)
	}
	return held
}

// EntryName is the tag or the kid of an entry of a published document; empty:
// it has neither.
func EntryName(entry map[string]any) string {
	for _, key := range []string{"tag", "kid"} {
		if name, ok := entry[key].(string); ok && name != "" {
			return name
		}
	}
	return ""
}

// fingerprint tells two entries apart: the beginning of the SHA-256 of its JSON.
func fingerprint(entry map[string]any) string {
	encoded, err := json.Marshal(entry)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:4])
}
