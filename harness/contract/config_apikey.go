package contract

// How a provider tells that a charge is one that it has made already.
const (
	// IdempotencyAccount: by an idempotency key, whichever API key comes with it,
	// as at Stripe.
	IdempotencyAccount = "account"
	// IdempotencyKey: by an idempotency key together with the API key, so that a
	// retry with another API key is another charge.
	IdempotencyKey = "key"
	// IdempotencyNone: not at all.
	IdempotencyNone = "none"
)

// The codes of a provider's answers.
const (
	// CodeNoSlot: there is no room for another key.
	CodeNoSlot = "no-free-slot"
	// CodeLocked: the account is locked.
	CodeLocked = "account-locked"
)

// Provider is the configuration of a provider of API keys.
type Provider struct {
	Name    string `json:"name"`
	Account string `json:"account"`
	// AdminToken is the bearer token of the admin API.
	AdminToken string `json:"admin_token"`
	// Idempotency is how a charge is known that was made already: one of the
	// Idempotency constants; IdempotencyAccount if empty.
	Idempotency string `json:"idempotency,omitempty"`
	// ChecksLate makes a charge of a disabled key before it refuses the key.
	ChecksLate bool `json:"checks_late,omitempty"`
	// Fails is the share of orders that are charged, and answered 504 the first
	// time.
	Fails float64 `json:"fails,omitempty"`
	// Lag is how long a key goes on being accepted that was disabled.
	Lag Duration `json:"lag,omitempty"`
	// Taken is how many of the slots hold keys of others from the start.
	Taken int `json:"taken,omitempty"`
	// Lockout is when refused calls lock the account; without it never.
	Lockout Lockout `json:"lockout,omitzero"`
	// Call is another way to make a charge, as consumers of a team's own do it.
	Call Call `json:"call,omitzero"`
	Orders
}

// Serves is provider.
func (*Provider) Serves() string { return "provider" }

// Lockout is when a provider takes refusals for guessing, and locks the account:
// it refuses every key then, right ones too.
type Lockout struct {
	// After is how many refused calls within Window lock it; 0: nothing does.
	After  int      `json:"after"`
	Window Duration `json:"window"`
	// For is how long it stays locked.
	For Duration `json:"for"`
}

// Charger is the configuration of a consumer of a provider.
type Charger struct {
	Name string `json:"name"`
	// Provider is the base URL of the provider.
	Provider string `json:"provider"`
	// Published says how it gets its key.
	Published
	// Retries is how often a charge that was not made is tried again. After a
	// refusal the key is read anew for that, and it is tried at once.
	Retries int `json:"retries,omitempty"`
	// RetryAfter is how long it waits where there was no good answer.
	RetryAfter Duration `json:"retry_after,omitempty"`
	// Anonymous keeps it from naming a charge by an idempotency key, the same for
	// every attempt.
	Anonymous bool `json:"anonymous,omitempty"`
}

// Serves is charger.
func (*Charger) Serves() string { return "charger" }
