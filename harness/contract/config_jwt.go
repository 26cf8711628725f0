package contract

// Issuer is the configuration of an issuer of tokens.
type Issuer struct {
	Name string `json:"name"`
	// Issuer is the iss claim and the base of its own addresses.
	Issuer string `json:"issuer"`
	// Published says how it gets its signing keys.
	Published
}

// Serves is issuer.
func (*Issuer) Serves() string { return "issuer" }

// SignatureAlgorithms are those that a key set can have keys for (RFC 7518 §3.1, RFC
// 8037 §3.1). A key of HS256 and its like is shared, and is never published in one.
func SignatureAlgorithms() []string {
	return []string{"ES256", "ES384", "ES512", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"}
}

// Verifier is the configuration of a verifier of tokens.
type Verifier struct {
	Name string `json:"name"`
	// Library is one of go-oidc, keyfunc, jwx, single-key and static.
	Library string `json:"library"`
	JWKS    string `json:"jwks"`   // URL of the key set
	Issuer  string `json:"issuer"` // the iss that tokens must have
	// Speed divides the library's own times; at 1, the default, the library is
	// built as its documentation shows, with no setting touched.
	Speed float64 `json:"speed,omitempty"`
	// Algorithms are those that it takes; default are all SignatureAlgorithms. jwx
	// takes what the key in the set says.
	Algorithms []string `json:"algorithms,omitempty"`
	// Leeway is how far ahead of its clock a time in a token may be; default none.
	Leeway Duration `json:"leeway,omitempty"`
	Orders
}

// Serves is verifier.
func (*Verifier) Serves() string { return "verifier" }

// Cache is the configuration of a shared cache.
type Cache struct {
	Name string `json:"name"`
	// Of is the base URL of the origin.
	Of string `json:"of"`
	// TTL is how long an answer is kept; 0 keeps none.
	TTL Duration `json:"ttl,omitempty"`
	// Orders switch it on (OrderKeep). One that follows orders is off at first: it
	// passes everything through and says nothing of itself. Another is on, and
	// stays so.
	Orders
}

// Serves is cache.
func (*Cache) Serves() string { return "cache" }

// SharedAlgorithms are those whose key is a secret that who signs and who checks both
// have (RFC 7518 §3.2).
func SharedAlgorithms() []string { return []string{"HS256", "HS384", "HS512"} }

// Checker is the configuration of a service that checks tokens by a shared secret.
type Checker struct {
	Name   string `json:"name"`
	Issuer string `json:"issuer"` // the iss that tokens must have
	// Published says how it gets its secrets.
	Published
	// Holds is how many secrets it has room for, the emitted one first; 0: all.
	Holds int `json:"holds,omitempty"`
}

// Serves is checker.
func (*Checker) Serves() string { return "checker" }
