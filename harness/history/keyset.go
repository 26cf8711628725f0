package history

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
)

// StatusTooMany is the status for asking too often (RFC 6585 §4): it is about the rate, not the credential.
const StatusTooMany = "429"

// KeySet is what was found when a key set was looked at from outside, or why
// none was. Of a key it has what tells it from others, never the key.
type KeySet struct {
	Keys []Key `json:"keys,omitempty"`
	// Status is "200", or what there was in place of a set: "503", "timeout",
	// "refused", "unreadable".
	Status string `json:"status"`
	// Took is how long the answer took.
	Took Offset `json:"took_ms"`
	// Looks is how many looks since the last event of this place found the same,
	// this one with them, and Slowest the longest that one of them took.
	Looks   int64  `json:"looks"`
	Slowest Offset `json:"slowest_ms"`
	// Again says that this very set had been found here before, with another one
	// in between: whoever answers here does not speak with one voice.
	Again bool `json:"again,omitempty"`
	// ETag is the one that came with it (RFC 9110 §8.8.3); empty: none did.
	ETag string `json:"etag,omitempty"`
	// Kept is for how long the answers that came from a cache on the way (RFC 9111 §5.1) may be served, past their max-age
	// too while it fetches (stale-while-revalidate, RFC 5861 §3); OnError is for how long more while it gets none (§4).
	Kept    Offset `json:"kept_ms,omitempty"`
	OnError Offset `json:"on_error_ms,omitempty"`
}

// Key is one key of a set: its members of RFC 7517 §4 that say what it is, and a
// short fingerprint by which two under one name are told apart.
type Key struct {
	Kid   string `json:"kid,omitempty"`
	Kty   string `json:"kty,omitempty"`
	Alg   string `json:"alg,omitempty"`
	Use   string `json:"use,omitempty"`
	Crv   string `json:"crv,omitempty"`
	Print string `json:"print,omitempty"`
	// Thumbprint is that of RFC 7638, of a key without a kid, by which the run may know it.
	Thumbprint string `json:"thumbprint,omitempty"`
	// Credential is its name in the run, where the run knows it.
	Credential string `json:"credential,omitempty"`
}

// Same reports whether two looks found the same.
func (s *KeySet) Same(o *KeySet) bool { return s.Status == o.Status && slices.Equal(s.Keys, o.Keys) }

// Readable reports whether there was a set at all.
func (s *KeySet) Readable() bool { return s.Status == StatusSet }

// OtherKey reports whether a set has, as a credential, another key than the run made: those that it makes
// for issuers are named by their thumbprint (RFC 7638), which the fingerprint of that key then begins.
func (s *KeySet) OtherKey(credential string) bool {
	if s == nil {
		return false
	}
	return slices.ContainsFunc(s.Keys, func(k Key) bool {
		name, err := base64.RawURLEncoding.DecodeString(k.Kid)
		return k.Credential == credential && k.Print != "" && err == nil && len(name) == sha256.Size && !strings.HasPrefix(hex.EncodeToString(name), k.Print)
	})
}

// Credentials are the names of the keys of a set, each once, in its order; those
// that the run does not know by their kid.
func (s *KeySet) Credentials() []string {
	var names []string
	for _, k := range s.Keys {
		name := k.Credential
		if name == "" {
			name = cmp.Or(k.Kid, k.Thumbprint)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// The statuses of a look beside those of HTTP.
const (
	StatusSet        = "200"
	StatusUnreadable = "unreadable" // it was answered with something else than a key set
)
