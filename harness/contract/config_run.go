package contract

import "time"

// ClientTimeout is how long a client of the load waits for an answer, and a probe
// of the harness too: what users would have waited for is no missing answer.
const ClientTimeout = 5 * time.Second

// Store is the configuration of the embedded secrets store.
type Store struct {
	// RootToken is the token that may do everything. It is required.
	RootToken string `json:"root_token"`
	// UnsealKey opens the store again after it was sealed; without one it cannot
	// be sealed.
	UnsealKey string `json:"unseal_key,omitempty"`
}

// Serves is store.
func (*Store) Serves() string { return "store" }

// Proxy is the configuration of a proxy on the way from one service to another.
type Proxy struct {
	Name string `json:"name"`
	// To is the host and port that connections are passed on to.
	To string `json:"to"`
	// Token is the bearer token without which nobody disturbs it.
	Token string `json:"token"`
}

// Serves is proxy.
func (*Proxy) Serves() string { return "proxy" }

// Balancer is the configuration of what stands before the replicas of a service.
type Balancer struct {
	Name string `json:"name"`
	// To are the hosts and ports of the replicas.
	To []string `json:"to"`
}

// Serves is balancer.
func (*Balancer) Serves() string { return "balancer" }
