// Package runbook is the page about one secret: its types, its parsing and
// what can be said of it without running anything.
package runbook

import (
	"slices"
	"time"
)

// APIVersion and Kind are what every page says at its top.
const (
	APIVersion = "rehearse/v1"
	Kind       = "Runbook"
)

// Runbook is the page about one secret: nine fields and no more. All durations
// are page time: the durations of production, which a rehearsal may divide by
// its speed.
type Runbook struct {
	APIVersion   string       `yaml:"apiVersion" json:"apiVersion"` // always rehearse/v1
	Kind         string       `yaml:"kind" json:"kind"`             // always Runbook
	Scope        Scope        `yaml:"scope" json:"scope"`
	Storage      Storage      `yaml:"storage" json:"storage"`
	Consumers    []Consumer   `yaml:"consumers" json:"consumers"` // who uses the secret: every party that emits or validates it
	Format       Format       `yaml:"format" json:"format"`
	Rollout      Rollout      `yaml:"rollout" json:"rollout"`
	Overlap      Overlap      `yaml:"overlap" json:"overlap"`
	Verification Verification `yaml:"verification" json:"verification"`
	Rollback     Rollback     `yaml:"rollback,omitempty" json:"rollback,omitempty"`
	Schedule     Schedule     `yaml:"schedule,omitempty" json:"schedule,omitempty"`
}

// Scope says which secret the page is about.
type Scope struct {
	Name    string `yaml:"name" json:"name"`                           // that of the secret, as session-signing-key
	Family  string `yaml:"family" json:"family"`                       // what kind of secret it is: jwt-signing-key, api-key, …
	Purpose string `yaml:"purpose,omitempty" json:"purpose,omitempty"` // what it is for, in a sentence
}

// Storage says where the secret lies and how it reaches its consumers.
type Storage struct {
	Store        string  `yaml:"store" json:"store"` // where it lies: vault
	Publish      Publish `yaml:"publish" json:"publish"`
	Distribution string  `yaml:"distribution" json:"distribution"`     // how it reaches its consumers: jwks, poll, env or file; in a cluster secret-volume, config-map or secret-env
	JWKS         string  `yaml:"jwks,omitempty" json:"jwks,omitempty"` // the path of the key set at the issuer; as /.well-known/jwks.json
	// Immutable says that the Secret or the ConfigMap is: what is new has a new name,
	// and its consumers are rolled out anew with it.
	Immutable bool `yaml:"immutable,omitempty" json:"immutable,omitempty"`
}

// The ways in which a secret reaches its consumers.
const (
	JWKS = "jwks" // who emits polls the store and publishes a key set, which the others fetch
	Poll = "poll" // each reads the store by itself, at every refresh
	Env  = "env"  // the environment of the process: it changes when the process is started anew
	File = "file" // a file, which is written some time after the store and read at every refresh
)

// WellKnownJWKS is where the issuer that rehearse serves itself has its key set, as
// OpenID providers usually do.
const WellKnownJWKS = "/.well-known/jwks.json"

// Publish is the place that consumers read.
type Publish struct {
	// Path is a KV v2 API path as Vault has it: MOUNT/data/PATH.
	Path string `yaml:"path" json:"path"`
}

// Role is what a consumer does with the secret.
type Role string

// The roles of consumers.
const (
	Emits     Role = "emit"     // signs, presents
	Validates Role = "validate" // checks
)

// Consumer is a party that uses the secret.
type Consumer struct {
	Name  string `yaml:"name" json:"name"`   // that of the service, as checkout
	Roles []Role `yaml:"roles" json:"roles"` // what it does with the secret: [emit], [validate] or both
	// Refresh is how often an emitter reads what was published for it, and a
	// validator that shares the secret with it.
	Refresh Duration `yaml:"refresh,omitempty" json:"refresh,omitempty"`
	// SubPath says that it mounts the Secret or the ConfigMap by subPath: its file
	// never changes while its pod lives.
	SubPath bool `yaml:"sub_path,omitempty" json:"sub_path,omitempty"`
	// Library is one of `rehearse matrix`, as jwx or go-oidc, whose defaults say how long this
	// consumer learns and forgets; the next two say it themselves.
	Library       string    `yaml:"library,omitempty" json:"library,omitempty"`
	LearnsWithin  *Duration `yaml:"learns_within,omitempty" json:"learns_within,omitempty"`   // how long until it takes a new credential at most, and not on average: where it varies when it fetches, the longest; default is what its library does
	ForgetsWithin *Duration `yaml:"forgets_within,omitempty" json:"forgets_within,omitempty"` // how long until it refuses one that was removed at most, and not on average; default is what its library does
	// Cooldown is of a validator that fetches the key set when it is shown a key
	// that it does not know: once in so long at most. It learns within that, too.
	Cooldown *Duration `yaml:"cooldown,omitempty" json:"cooldown,omitempty"`
}

// Has reports whether a consumer has a role.
func (c Consumer) Has(r Role) bool {
	return slices.Contains(c.Roles, r)
}

// Format says what a credential looks like.
type Format struct {
	Type       string `yaml:"type" json:"type"`                                 // what a credential is: ES256 or RS256, postgresql, redis, the name of a webhook scheme
	Identifier string `yaml:"identifier,omitempty" json:"identifier,omitempty"` // by what one credential is told from another: kid
	// Alphabet are characters that every value has which a rotation makes, besides
	// letters and digits, as a generator of passwords puts them in: @/%#$. The one
	// that is there before the rotation has none of them.
	Alphabet    string   `yaml:"alphabet,omitempty" json:"alphabet,omitempty"`
	LongestLife Duration `yaml:"longest_life,omitempty" json:"longest_life,omitempty"` // how long what was made with it lives: a token, a connection
}

// Rollout has the times of going forward. The order of the steps is fixed.
type Rollout struct {
	Lead        Duration `yaml:"lead" json:"lead"`                                   // how long the new one is accepted before it is emitted, as 16m
	Propagation Duration `yaml:"propagation,omitempty" json:"propagation,omitempty"` // how long a deploy or a changed configuration takes, as 30s
	Watch       Duration `yaml:"watch" json:"watch"`                                 // how long the old one is shown after the revoke, to see it refused
}

// Overlap has the time in which both credentials are taken.
type Overlap struct {
	Window     Duration    `yaml:"window" json:"window"`                             // how long both are taken: from the switch of the last emitter to the revoke
	Exceptions []Exception `yaml:"exceptions,omitempty" json:"exceptions,omitempty"` // clients that may keep the old one for longer
}

// Exception is a client that may keep the old credential longer.
type Exception struct {
	Client  string   `yaml:"client" json:"client"`                       // who, as old-app
	Until   Duration `yaml:"until" json:"until"`                         // how long after the revoke, as 24h
	Because string   `yaml:"because,omitempty" json:"because,omitempty"` // the reason, which the report shows
}

// Verification says what counts as well.
type Verification struct {
	SLO    SLO      `yaml:"slo" json:"slo"`
	Checks []string `yaml:"checks,omitempty" json:"checks,omitempty"` // what is looked at: auth-failures, availability, distribution, canary, logs
}

// Lists reports whether the page lists a check.
func (v Verification) Lists(check string) bool {
	return slices.Contains(v.Checks, check)
}

// SLO is the objective for first attempts.
type SLO struct {
	Objective Percent `yaml:"objective" json:"objective"` // the share of first attempts that must succeed, as 99.9%
}

// Rollback says when and how to go back.
type Rollback struct {
	When    Trigger  `yaml:"when,omitempty" json:"when,omitempty"`
	Decides string   `yaml:"decides,omitempty" json:"decides,omitempty"` // who decides to go back
	Steps   []string `yaml:"steps,omitempty" json:"steps,omitempty"`     // what is done then, in words that the report shows
}

// Trigger is the auth-failure ratio, sustained for a time, that calls for a
// rollback. A ratio of 0 is no trigger.
type Trigger struct {
	AuthFailuresOver Percent  `yaml:"auth_failures_over,omitempty" json:"auth_failures_over,omitempty"` // the share of attempts that may be refused, as 1%
	For              Duration `yaml:"for,omitempty" json:"for,omitempty"`                               // how long it must be over that, as 10s
}

// Schedule says how often, who and how long.
type Schedule struct {
	Cadence    Duration `yaml:"cadence,omitempty" json:"cadence,omitempty"`         // how often it is rotated, as 90d
	Owner      string   `yaml:"owner,omitempty" json:"owner,omitempty"`             // whose secret it is
	NextReview string   `yaml:"next_review,omitempty" json:"next_review,omitempty"` // when the page is looked at again, YYYY-MM-DD
	Timebox    Duration `yaml:"timebox,omitempty" json:"timebox,omitempty"`         // how much time of people a rotation may take, without its waits; after it the run ends
}

// Library is what is known of a validator's library at its defaults, in page
// time: how long until it learns a new credential and until it forgets a
// removed one. Forever means no bound in time.
type Library struct {
	Name    string
	Learns  time.Duration // 0: at once, by refetching when it meets an unknown kid
	Forgets time.Duration
	// OnMiss says that an unknown kid makes it refetch; Cooldown is the least
	// time between such fetches.
	OnMiss   bool
	Cooldown time.Duration
	// Granularity is wall time that does not scale: what the library itself
	// rounds up to or adds to its refresh time.
	Granularity time.Duration
	// Keys is how many keys it holds at a time; 0 is no limit.
	Keys int
	// Served says that a stand-in runs it: that it is Go and in this binary.
	Served bool
	Source string // version and where the figures come from
}

// Forever is longer than any rehearsal: no bound in time.
const Forever = time.Duration(1<<63 - 1)

// Libraries are the validators that a page can name.
var Libraries = map[string]Library{
	"go-oidc": {
		Name: "go-oidc", Served: true, Learns: 0, Forgets: Forever, OnMiss: true,
		Source: "coreos/go-oidc v3.21.0 oidc.NewRemoteKeySet: no expiry; refetches on an unknown kid or a bad signature",
	},
	"keyfunc": {
		Name: "keyfunc", Served: true, Learns: 0, Forgets: time.Hour, OnMiss: true, Cooldown: 5 * time.Minute,
		Source: "MicahParks/keyfunc v3.9.2 NewDefaultCtx: refresh every hour, unknown kid refetches once per 5 min",
	},
	"jwx": {
		Name: "jwx", Served: true, Learns: 15 * time.Minute, Forgets: 15 * time.Minute, Granularity: 2 * time.Second,
		Source: "lestrrat-go/jwx v3.4.0 jwk.Cache on httprc v3.0.6: at least 15 min, no refetch on an unknown kid; rounds up to a second and adds one",
	},
	"pyjwt": {
		Name: "pyjwt", Learns: 0, Forgets: 5 * time.Minute, OnMiss: true,
		Source: "PyJWT 2.6.0 PyJWKClient: its set lasts 300 s, an unknown kid refetches at once",
	},
	"jose": {
		Name: "jose", Learns: 30 * time.Second, Forgets: 10 * time.Minute, OnMiss: true, Cooldown: 30 * time.Second,
		Source: "panva/jose 4.11.4 createRemoteJWKSet: its set lasts 600 s, an unknown kid refetches 30 s after the last fetch at the earliest",
	},
	"ruby-jwt": {
		Name: "ruby-jwt", Learns: 5 * time.Minute, Forgets: Forever, OnMiss: true, Cooldown: 5 * time.Minute,
		Source: "ruby-jwt 2.5.0 with the JWKS loader of its README: no expiry, an unknown kid refetches 300 s after the last fetch at the earliest",
	},
	"mod_auth_openidc": {
		Name: "mod_auth_openidc", Learns: 0, Forgets: time.Hour, OnMiss: true,
		Source: "Apache mod_auth_openidc 2.4.12.3 (AuthType oauth20): OIDCJWKSRefreshInterval is 3600 s, an unknown kid refetches at once, each time",
	},
	"rabbitmq": {
		Name: "rabbitmq", Learns: 0, Forgets: Forever, OnMiss: true,
		Source: "RabbitMQ 3.10.8 rabbitmq_auth_backend_oauth2 with jwks_url: no expiry; an unknown kid refetches at once, each time, and what then comes takes the set's place, an error in JSON too",
	},
	"oauth2-proxy": {
		Name: "oauth2-proxy", Learns: 0, Forgets: Forever, OnMiss: true,
		Source: "oauth2-proxy v7.15.6 on go-oidc's RemoteKeySet: no expiry; an unknown kid or a bad signature refetches at once, each time; it refuses with 403",
	},
	"kube-apiserver": {
		Name: "kube-apiserver", Learns: 0, Forgets: Forever, OnMiss: true,
		Source: "k8s.io/apiserver v0.37.2 (jwt authenticators of its AuthenticationConfiguration) on go-oidc's RemoteKeySet: no expiry; an unknown kid or a bad signature refetches at once, each time",
	},
	"step-ca": {
		Name: "step-ca", Learns: 12 * time.Hour, Forgets: 12 * time.Hour,
		Source: "smallstep/certificates v0.30.2, its OIDC provisioner: its set lasts 12 h, or the max-age of the answer, less up to an hour or a third by chance; no refetch on an unknown kid",
	},
	"haproxy": {
		Name: "haproxy", Learns: Forever, Forgets: Forever,
		Source: "HAProxy 2.6.12 jwt_verify: keys from files that are loaded at its start; page it by learns_within where it is reloaded",
	},
	"single-key": {
		Name: "single-key", Served: true, Learns: 5 * time.Minute, Forgets: 5 * time.Minute, Keys: 1,
		Source: "a stand-in for services that keep keys[0]: refetches every 5 min and holds one key",
	},
	"static": {
		Name: "static", Served: true, Learns: Forever, Forgets: Forever,
		Source: "keys loaded at the start and never again, as HAProxy jwt_verify and PostgREST do until they are reloaded",
	},
}
