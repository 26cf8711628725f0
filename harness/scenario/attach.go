package scenario

import (
	"maps"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// Attach names a system that runs already and is rehearsed as it is: nothing of
// it is started or stopped, and the secret is taken through its phases by the
// team's own actions. Exactly one of Compose, URLs and Kubernetes is set.
type Attach struct {
	// Compose is the name of a docker compose project on this machine. Its
	// services are found by their labels.
	Compose string `yaml:"compose,omitempty" json:"compose,omitempty"`
	// URLs are the addresses of a system, by the names of its services.
	URLs map[string]string `yaml:"urls,omitempty" json:"urls,omitempty"`
	// Kubernetes are workloads of a cluster.
	Kubernetes *Kubernetes `yaml:"kubernetes,omitempty" json:"kubernetes,omitempty"`
	// Vault is where steps that are Vault writes go.
	Vault *VaultAt `yaml:"vault,omitempty" json:"vault,omitempty"`
	// Prometheus is the address of a server that is asked for counters, and Scrape
	// the wall time between two of its scrapes; default 15s.
	Prometheus string           `yaml:"prometheus,omitempty" json:"prometheus,omitempty"`
	Scrape     runbook.Duration `yaml:"scrape,omitempty" json:"scrape,omitempty"`
	// Tokens says where the probes get theirs; default is the token endpoint of
	// the page's emitter, asked as a stand-in's.
	Tokens *Tokens `yaml:"tokens,omitempty" json:"tokens,omitempty"`
	// Current tells the identifier of the credential in use, and Value the value of
	// one with an {{ .identifier }}, as make tells an identifier; Present says, by
	// validator, how probes show it, and Decisions, by service, where it is told
	// what became of those that were presented. They are for secrets without tokens.
	Current   *Act                 `yaml:"current,omitempty" json:"current,omitempty"`
	Value     *Act                 `yaml:"value,omitempty" json:"value,omitempty"`
	Present   map[string]Present   `yaml:"present,omitempty" json:"present,omitempty"`
	Decisions map[string]Decisions `yaml:"decisions,omitempty" json:"decisions,omitempty"`
	// Counters are those of services that count what they served.
	Counters map[string]Counter `yaml:"counters,omitempty" json:"counters,omitempty"`
	// Rotator takes the whole rotation by itself, in its own time.
	Rotator *Rotator `yaml:"rotator,omitempty" json:"rotator,omitempty"`
	// Steps are what is done for each step: make, accept, emit, revoke, destroy,
	// and for the way back restore and withdraw, and emit-back where to have the old
	// one emitted again is another thing to do than to emit. Beside a rotator revoke and
	// destroy are those that it leaves to others.
	Steps map[string]Act `yaml:"steps,omitempty" json:"steps,omitempty"`
	// StopWhen are checks of the team's own, as those of its alerts: while the rotation goes
	// on each is asked once a second, and one that holds turns it back, whatever the mode
	// of the gates is.
	StopWhen []StopWhen `yaml:"stop_when,omitempty" json:"stop_when,omitempty"`
	// Waive are rules that are not held against the rehearsal, each with the reason:
	// what it came to is told all the same.
	Waive map[string]string `yaml:"waive,omitempty" json:"waive,omitempty"`
}

// VaultAt is a Vault of the team's. Its token is in an environment variable.
type VaultAt struct {
	URL      string `yaml:"url" json:"url"`                                 // its address, as https://vault.staging.example:8200
	TokenEnv string `yaml:"token_env,omitempty" json:"token_env,omitempty"` // the variable that holds the token, as STAGING_VAULT_TOKEN; default REHEARSE_VAULT_TOKEN
}

// DefaultVaultToken is the environment variable with the token of a Vault that
// is named: never VAULT_TOKEN, which may be that of another.
const DefaultVaultToken = "REHEARSE_VAULT_TOKEN"

// Tokens says how a token for a probe is had: from a token endpoint
// (RFC 6749 §4.4.2), or from a command that prints one.
type Tokens struct {
	From string `yaml:"from,omitempty" json:"from,omitempty"` // the service that issues them; default is the emitter of the page
	// How the endpoint is asked. Its texts may use {{ .life }} ("15m0s") and
	// {{ .seconds }}, and {{ .identifier }} where a token can be had of a credential that is not the
	// one in use: then a canary can be shown.
	contract.TokenCall `yaml:",inline"`
	// Command prints a token; its words may use the same.
	Command []string `yaml:"command,omitempty" json:"command,omitempty"`
}

// Counter is a counter of requests that a service served: a field of a JSON
// answer at a path of its own, or a query of Prometheus.
type Counter struct {
	Path  string `yaml:"path,omitempty" json:"path,omitempty"`   // where the service tells its count, as /metrics.json, in place of a query
	Field string `yaml:"field,omitempty" json:"field,omitempty"` // where the number is in the answer, a JSON object: requests.total
	Query string `yaml:"query,omitempty" json:"query,omitempty"` // an expression of Prometheus, as sum(http_requests_total{service="search"})
	// Labels are those that a sample of the query must have to count.
	Labels map[string]string `yaml:"labels,omitempty" json:"labels,omitempty"`
	// AtLeast says that others call the service too: it may have served more than
	// the load sent, and never less.
	AtLeast bool `yaml:"at_least,omitempty" json:"at_least,omitempty"`
}

// StopWhen is a check that turns the rotation back; Query or URL is set.
type StopWhen struct {
	// Query is an expression of Prometheus that holds while it has a sample, as that of
	// an alerting rule: sum(rate(errors_total[1m])) > 5.
	Query string `yaml:"query,omitempty" json:"query,omitempty"`
	// URL is asked with GET, and holds while it answers without success, or not at all.
	// It may use {{ .NAME.url }} of a service, and {{ .env.NAME }}.
	URL string `yaml:"url,omitempty" json:"url,omitempty"`
	// For is how long it must hold before that counts, in wall time; default is at once.
	For runbook.Duration `yaml:"for,omitempty" json:"for,omitempty"`
}

// Text is what it asks, in words.
func (w StopWhen) Text() string {
	if w.Query != "" {
		return "Prometheus (" + w.Query + ")"
	}
	return w.URL
}

// Act is one thing that is done: exactly one of a command, an HTTP call, a Vault
// write, acts in a cluster, and the two ways of doing nothing. Of those in a cluster
// it may have several, which are done in this order: the command whose output they use,
// secret, annotate, rollout. Its words may use {{ .credential }}, {{ .identifier }},
// {{ .NAME.url }} of a service, and {{ .env.NAME }} of the environment. A function may
// follow: {{ .identifier | json }}.
type Act struct {
	// Command is run in the folder of the scenario, without a shell.
	Command     []string          `yaml:"command,omitempty" json:"command,omitempty"`
	Environment map[string]string `yaml:"environment,omitempty" json:"environment,omitempty"` // what the command has beside the environment of rehearse, as {REGION: eu-1}; it may use the same words as the command
	HTTP        *Call             `yaml:"http,omitempty" json:"http,omitempty"`
	Vault       *Write            `yaml:"vault,omitempty" json:"vault,omitempty"`
	// Secret writes to a Secret, Annotate gives an object an annotation, and Rollout
	// has all pods of a Deployment replaced, as deployment/search-api, and waits until
	// they are ready.
	Secret   *SecretWrite `yaml:"secret,omitempty" json:"secret,omitempty"`
	Annotate *Annotate    `yaml:"annotate,omitempty" json:"annotate,omitempty"`
	Rollout  string       `yaml:"rollout,omitempty" json:"rollout,omitempty"`
	// Cannot says why the team's system cannot take the step: accept, where what is
	// made is accepted already, destroy, and the way back.
	Cannot string `yaml:"cannot,omitempty" json:"cannot,omitempty"`
	// Expires is, of revoke only, how long after the emit the old one is refused by
	// itself, without anybody doing anything; page time.
	Expires runbook.Duration `yaml:"expires,omitempty" json:"expires,omitempty"`
	// Timeout is how long it may take, in wall time; default 30s.
	Timeout runbook.Duration `yaml:"timeout,omitempty" json:"timeout,omitempty"`
	// Identifier is, of make and current, where the credential's identifier is in
	// the answer of a call or a write: data.keys.0.kid; of value, where that is. A
	// command prints it, as its last line.
	Identifier string `yaml:"identifier,omitempty" json:"identifier,omitempty"`
}

// None reports whether an act says nothing at all.
func (a Act) None() bool {
	return len(a.Command) == 0 && a.HTTP == nil && a.Vault == nil && !a.Kube() && a.Cannot == "" && a.Expires == 0
}

// Call is an HTTP request; an answer that is no success is an error.
type Call struct {
	Method  string            `yaml:"method,omitempty" json:"method,omitempty"`   // of the request, as PUT; default POST
	URL     string            `yaml:"url" json:"url"`                             // the whole address, as {{ .auth.url }}/keys
	Headers map[string]string `yaml:"headers,omitempty" json:"headers,omitempty"` // those of the request, as {Authorization: "Bearer {{ .env.ADMIN_TOKEN }}"}
	Body    string            `yaml:"body,omitempty" json:"body,omitempty"`       // what is sent, as {"kid": "{{ .identifier }}"}
}

// Write is a write to Vault.
type Write struct {
	Path string         `yaml:"path" json:"path"`                     // an API path without /v1/: secret/data/auth/key
	Data map[string]any `yaml:"data,omitempty" json:"data,omitempty"` // what is written, as {data: {key: "{{ .value }}"}}
	// Patch changes only what Data has (KV v2: a JSON merge patch, RFC 7396).
	Patch bool `yaml:"patch,omitempty" json:"patch,omitempty"`
}

// The steps of an attached rehearsal that have an act. MakeStep makes the new
// credential; the others are those of a keyring.
const MakeStep = "make"

// StepNames are all steps that can have an act, in the order of a rotation and
// its way back; destroy may be left out.
var StepNames = []string{MakeStep, "accept", "emit", "revoke", "destroy", "restore", EmitBackStep, "withdraw"}

// EmitBackStep is what is done to have the old credential emitted again; default
// is what is done for emit.
const EmitBackStep = "emit-back"

// optionalSteps may be left out.
var optionalSteps = []string{"destroy", EmitBackStep}

// cannotSteps may be such that the system cannot take them.
var cannotSteps = []string{"accept", "destroy", "restore", EmitBackStep, "withdraw"}

// Waivable are the rules that can be waived: that nobody was refused, and that no
// value leaked, are not among them.
var Waivable = []string{"accounting", "distribution", "gates", "logs", "revocation", "rollback", "sessions"}

// Mention is what a text of an act uses: {{ .identifier }} or {{ .auth.url }}.
type Mention struct{ Name, Part string }

// Mentions are those of some texts.
func Mentions(texts ...string) []Mention {
	var found []Mention
	for _, text := range texts {
		ReplaceMentions(text, func(m Mention) string {
			found = append(found, m)
			return ""
		})
	}
	return found
}

// ReplaceMentions is a text with every mention replaced. What stands between braces and is
// none is left as it is: a scenario that has any is refused when it is checked.
func ReplaceMentions(text string, with func(Mention) string) string {
	return contract.Fill(text, func(w contract.Word) (contract.Value, bool) {
		name, part := w.Of()
		return contract.Text(with(Mention{name, part})), true
	})
}

// Texts are all texts of an act that may have mentions.
func (a Act) Texts() []string {
	texts := slices.Concat(a.Command, slices.Collect(maps.Values(a.Environment)))
	if h := a.HTTP; h != nil {
		texts = append(append(texts, h.URL, h.Body), slices.Collect(maps.Values(h.Headers))...)
	}
	if v := a.Vault; v != nil {
		texts = append(texts, v.Path)
		walk(v.Data, func(text string) { texts = append(texts, text) })
	}
	if s := a.Secret; s != nil {
		texts = append(texts, slices.Collect(maps.Values(s.Data))...)
	}
	if n := a.Annotate; n != nil {
		texts = append(texts, n.Value)
	}
	return texts
}

// walk calls f with every text in a value of a document.
func walk(value any, f func(string)) {
	switch value := value.(type) {
	case string:
		f(value)
	case []any:
		for _, child := range value {
			walk(child, f)
		}
	case map[string]any:
		for _, child := range value {
			walk(child, f)
		}
	}
}

// attached adds to the services of a scenario those that it is attached to and
// does not describe: the ones with an address, and the consumers of the page.
func (s *Scenario) attached(page *runbook.Runbook) {
	if s.Attach == nil {
		return
	}
	names := slices.Collect(maps.Keys(s.Attach.URLs))
	if k := s.Attach.Kubernetes; k != nil {
		names = append(names, slices.Collect(maps.Keys(k.Workloads))...)
	}
	if page != nil && s.Attach.Compose != "" {
		for _, c := range page.Consumers {
			names = append(names, c.Name)
		}
	}
	services := maps.Clone(s.Services)
	if services == nil {
		services = map[string]Service{}
	}
	for _, name := range names {
		if _, ok := services[name]; !ok && name != "" {
			services[name] = Service{}
		}
	}
	s.Services = services
}
