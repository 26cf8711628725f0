package contract

import "github.com/rehearse-dev/rehearse/harness/refusal"

// WebhookPath is where receivers are told to take deliveries.
const WebhookPath = "/webhooks"

// Sender is the configuration of a sender of webhooks.
type Sender struct {
	Name string `json:"name"`
	// Scheme is one of webhook.Names.
	Scheme string `json:"scheme"`
	// Published says how it gets its secrets.
	Published
	// Endpoints are the addresses to deliver to, by name.
	Endpoints map[string]string `json:"endpoints,omitempty"`
	// Refusals say how those refuse a delivery that do not answer 401 or 403.
	Refusals map[string]refusal.Signs `json:"refusals,omitempty"`
	// RetryFor is how long a delivery that failed is tried again; 0: never.
	RetryFor Duration `json:"retry_for,omitempty"`
}

// Serves is sender.
func (*Sender) Serves() string { return "sender" }

// Receiver is the configuration of a receiver of webhooks.
type Receiver struct {
	Name string `json:"name"`
	// Scheme is one of webhook.Names: with it goes the library that checks.
	Scheme string `json:"scheme"`
	// Published says how it gets its secrets.
	Published
	// Holds is how many secrets it has room for, the emitted one first; 0: all.
	Holds int `json:"holds,omitempty"`
	// Fails is the share of events, in [0, 1], that it takes for authentic and
	// cannot process: it answers 503, and the sender tries them again.
	Fails float64 `json:"fails,omitempty"`
}

// Serves is receiver.
func (*Receiver) Serves() string { return "receiver" }
