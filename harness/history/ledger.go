package history

// Effect is what an authority did because of a presentation.
type Effect string

// The effects; empty is none.
const (
	EffectMade     Effect = "made"     // it did what it was asked for
	EffectAgain    Effect = "again"    // and had done it before
	EffectReplayed Effect = "replayed" // it answered with what it had done before
)

// Settled is what a consumer told its caller of an order.
type Settled string

// What a caller is told at the end; empty is not the end.
const (
	SettledDone   Settled = "done"
	SettledFailed Settled = "failed"
)

// Ledger is what consumers were to do, and what the authority did: with each
// order done once that a caller was told is done, and no other, Effects is Done.
type Ledger struct {
	Orders   int64 `json:"orders"`   // settled one way or the other
	Done     int64 `json:"done"`     // of these, told to be done
	Effects  int64 `json:"effects"`  // by the authority
	Replayed int64 `json:"replayed"` // attempts that an idempotency key kept from being one more
	// Untold are effects for presenters whose own log says nothing of orders, so
	// that nothing is known of what was intended.
	Untold int64 `json:"untold,omitempty"`
	// Irregular are those that do not fit, by what they have in common.
	Irregular []Irregular `json:"irregular,omitempty"`
}

// What is wrong with an order.
const (
	DoneTwice   = "twice"       // one effect more than the one that it had
	Unconfirmed = "unconfirmed" // done, and the caller was told that it failed, or nothing
	NotDone     = "not done"    // the caller was told that it is done
)

// Irregular are orders of one presenter at one validator with the same trouble.
type Irregular struct {
	What       string `json:"what"`
	Presenter  string `json:"presenter"`
	Validator  string `json:"validator"`
	Credential string `json:"credential"` // of the effect that is too much, or is missing
	// Earlier is the credential of the effect before it, and Was what that was answered.
	Earlier    string `json:"earlier,omitempty"`
	Was        string `json:"was,omitempty"`
	Idempotent bool   `json:"idempotent,omitempty"` // the authority was given a key to know the same by
	First      Offset `json:"first_ms"`
	Last       Offset `json:"last_ms"`
	Count      int64  `json:"count"`
}
