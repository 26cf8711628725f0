package contract

// The environment variables of a process that is a stand-in.
const (
	// Variable has its configuration as JSON.
	Variable = "REHEARSE_CONFIG"
	// IndexVariable is which one of several configurations is meant, from 0, where Variable
	// has a list of them; empty: there is one.
	IndexVariable = "REHEARSE_INDEX"
	// ListenFDVariable is the number of an inherited file descriptor that listens
	// already, so that the address is known before the process starts. It goes
	// before ListenVariable.
	ListenFDVariable = "REHEARSE_LISTEN_FD"
	// ListenVariable is the address to listen on where no descriptor was
	// inherited; DefaultListen where it is empty.
	ListenVariable = "REHEARSE_LISTEN"
	// LifelineVariable names what ends when whoever started the process is gone;
	// the process ends with it. Lifeline is the one value that there is.
	LifelineVariable = "REHEARSE_LIFELINE"
	// SecretVariable has what is published, as JSON, for a consumer that is
	// started with it.
	SecretVariable = "REHEARSE_SECRET"
	// ControlVariable has the token that the paths ask for by which it is
	// controlled; empty: they ask for none, as of one that is started by hand.
	ControlVariable = "REHEARSE_CONTROL"
	// TrustVariable has what it is given to call services that speak TLS, certs.Trust as
	// JSON; empty: there are none.
	TrustVariable = "REHEARSE_TRUST"
	// SealedFDVariable is the number of an inherited file descriptor with more such
	// variables, as a JSON object of texts: those with tokens in them. Others can
	// look at the environment of a process, and at that of a container. These go
	// before those of the same name.
	SealedFDVariable = "REHEARSE_SEALED_FD"
	// SealedFileVariable is the path of a file with them, where no descriptor can be inherited.
	SealedFileVariable = "REHEARSE_SEALED_FILE"
)

// Lifeline is the value of LifelineVariable that means standard input.
const Lifeline = "stdin"

// DefaultListen is where a stand-in listens unless it is told otherwise.
const DefaultListen = ":8080"

// What every stand-in answers.
const (
	// HealthPath answers 200 when it is ready, else 503 and what it waits for.
	HealthPath = "/healthz"
	// StatusPath has its counters, as a JSON object.
	StatusPath = "/rehearse/status"
	// QuiescePath, by POST, ends what it does unasked, such as a queue of retries.
	QuiescePath = "/rehearse/quiesce"
	// RenewPath, by POST, has one with a pool make its connections anew.
	RenewPath = "/rehearse/renew"
	// EventsPath, by POST with the name of an endpoint behind it, has a sender of
	// webhooks deliver.
	EventsPath = "/events/"
)

const (
	// ProxyPath is where a proxy is spoken to itself: what follows is the API of
	// toxiproxy v2 ("proxies/edge/toxics"), or "healthz". Everything else is passed on.
	ProxyPath = "/rehearse/proxy/"
	// ProxyName is the name under which that API knows the one proxy that there is.
	ProxyName = "edge"
)

// DisturbPath is where a stand-in takes orders to misbehave, from whoever has
// the token in its configuration: POST with an Order begins, DELETE with ?kind=
// ends, and GET has what it Held says. One without such a token has no such path.
const DisturbPath = "/rehearse/disturb"

// Order makes a stand-in misbehave until it is taken back.
type Order struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

// The kinds of orders.
const (
	// OrderJWKS makes an issuer answer for its key set with: a status (429, 500,
	// 503), "503-empty" (with an empty set in the body), "empty", "garbage".
	OrderJWKS = "jwks"
	// OrderClock puts a clock ahead by a duration, or behind by a negative one:
	// that of an issuer, a verifier or a receiver.
	OrderClock = "clock"
	// OrderKid makes an issuer leave the kid out of its tokens ("none"), keep the one
	// that it had for every new key ("same"), or keep it in its tokens only ("old").
	OrderKid = "kid"
	// OrderHold makes a consumer keep what it has: it reads nothing new.
	OrderHold = "hold"
	// OrderValue spoils the values that a consumer did not have yet: "newline",
	// "truncated", "foreign", "base64", "quoted".
	OrderValue = "value"
	// OrderKeep switches a shared cache on: the value is how long it keeps an answer.
	OrderKeep = "keep"
	// OrderRevoke makes a provider go on accepting the keys that are disabled
	// while it lasts ("late").
	OrderRevoke = "revoke"
)
