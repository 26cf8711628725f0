package scenario

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/refusal"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// Build says of what an image is made.
type Build struct {
	// Context is a folder with all that goes into it, relative to the file that says it.
	Context string `yaml:"context" json:"context"`
	// Dockerfile is a file of that folder; default Dockerfile.
	Dockerfile string `yaml:"dockerfile,omitempty" json:"dockerfile,omitempty"`
}

// Reload says how a service of a team's own is made to use what has changed.
// Exactly one of the three is set; a service that does it by itself has none.
type Reload struct {
	Signal  string   `yaml:"signal,omitempty" json:"signal,omitempty"`   // what its process is sent: HUP, USR1 or USR2
	HTTP    *Request `yaml:"http,omitempty" json:"http,omitempty"`       // a request that makes it read anew, as {method: POST, path: /reload}; default GET /
	Restart bool     `yaml:"restart,omitempty" json:"restart,omitempty"` // it is started anew; only true says so
	// After is how long after the change in the store that happens, in page time;
	// the default leaves the emitter the time to publish it.
	After runbook.Duration `yaml:"after,omitempty" json:"after,omitempty"`
}

// Refusal says how a service of a team's own shows that it refused a credential.
type Refusal struct {
	Statuses []int  `yaml:"statuses,omitempty" json:"statuses,omitempty"` // those of an answer that refuses, as [401, 419]; default 401 and 403
	Header   string `yaml:"header,omitempty" json:"header,omitempty"`     // a header that only a refusal has: its name, and a regular expression for its value, as "Location: /login"
	Body     string `yaml:"body,omitempty" json:"body,omitempty"`         // a regular expression for a part of the answer, as UNAUTHENTICATED
	// Log is a regular expression for lines of its log. Its groups credential and
	// presenter, where it has them, say whose and which was refused.
	Log string `yaml:"log,omitempty" json:"log,omitempty"`
}

// Signs are those by which an answer of the service is read; its log is no answer.
func (r Refusal) Signs() refusal.Signs {
	return refusal.Signs{Statuses: r.Statuses, Header: r.Header, Body: r.Body}
}

// Signals are those by which a service can be told to reload.
var Signals = []string{"HUP", "USR1", "USR2"}

// Action is one {{ .Name.Part }} of a setting.
type Action struct{ Name, Part string }

// mostReplicas bounds how many there can be of a service: all are on one machine.
const mostReplicas = 20

// ReplicaName is the name under which a replica of a service is started, by its number
// from 0.
func ReplicaName(service string, i int) string { return fmt.Sprintf("%s-%d", service, i+1) }

// External reports whether a service is a team's own: no stand-in.
func (s Service) External() bool { return s.Serve == "" }

// NeedsImage reports whether a service can run in a container only.
func (s Service) NeedsImage() bool { return s.Image != "" || s.Build != nil }

// Settings are the texts of a service of a team's own: of its command, its
// environment and its files.
func (s Service) Settings() []string {
	settings := slices.Concat(slices.Concat(s.Init...), s.Command)
	for _, value := range s.Environment {
		settings = append(settings, value)
	}
	for _, content := range s.Files {
		settings = append(settings, content)
	}
	return settings
}

// Actions are those in the settings of a service of a team's own.
func (s Service) Actions() []Action { return actionsIn(s.Settings()) }

// ActionsOf are those in one text.
func ActionsOf(text string) []Action { return actionsIn([]string{text}) }

func actionsIn(texts []string) []Action {
	var actions []Action
	for _, text := range texts {
		words, err := contract.Words(text)
		if err != nil {
			continue // which is reported
		}
		for _, w := range words {
			name, part := w.Of()
			actions = append(actions, Action{name, part})
		}
	}
	return actions
}

// Holds reports whether a text has a part of the secret in it, and not only the
// path of a file with it.
func Holds(text string) bool {
	return slices.ContainsFunc(ActionsOf(text), func(a Action) bool { return a.Name == "secret" && a.Part != "file" })
}

// Listens reports whether a service of a team's own, under its name, takes requests: an
// image says at which ports, and a command has its own from its settings.
func (s Service) Listens(name string) bool {
	return len(s.Ports) > 0 || !s.NeedsImage() && slices.Contains(s.Actions(), Action{name, "port"})
}

// partsOfOne are the words of settings that are of one credential alone.
var partsOfOne = []string{"identifier", "jwk", "public", "public_jwk", "user", "value"}

// GivenOne reports whether a service of a team's own is given one credential at a time,
// the one to emit: nothing in its settings has another one, and it reads none itself.
func (s Service) GivenOne() bool {
	one := false
	for _, a := range s.Actions() {
		switch {
		case a.Name == "store", a.Name == "secret" && !slices.Contains(partsOfOne, a.Part):
			return false
		case a.Name == "secret":
			one = true
		}
	}
	return one && s.External()
}

// HasSecretFiles reports whether a service is given files that have the secret in them.
func (s Service) HasSecretFiles() bool {
	for _, content := range s.Files {
		if Holds(content) {
			return true
		}
	}
	return false
}

// Gets is how a service of a team's own gets what is published, as its settings
// tell: the secret in its environment, in files, or read at the store; else by the
// key set.
func (s Service) Gets() string {
	gets := runbook.JWKS
	for _, text := range s.Environment {
		if Holds(text) {
			return runbook.Env
		}
	}
	for _, a := range s.Actions() {
		switch {
		case a.Name == "store":
			return runbook.Poll
		case a.Name == "secret":
			gets = runbook.File
		}
	}
	return gets
}

// FileNamed is the path of the one file of a service with a name, which is the last
// part of its path; "" where there is none, or more.
func (s Service) FileNamed(name string) string {
	found := ""
	for file := range s.Files {
		if path.Base(file) != name {
			continue
		}
		if found != "" {
			return ""
		}
		found = file
	}
	return found
}

// References are the names in those actions, sorted.
func (s Service) References() []string {
	var names []string
	for _, a := range s.Actions() {
		names = append(names, a.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Health is the path that says whether a service is ready, and the port where it is asked; 0:
// where the service is called. A port that is none is -1.
func (s Service) Health() (port int, path string) {
	rest, ok := strings.CutPrefix(s.Healthcheck, ":")
	if !ok {
		return 0, s.Healthcheck
	}
	number, path, _ := strings.Cut(rest, "/")
	port, err := strconv.Atoi(number)
	if err != nil || port < 1 {
		port = -1
	}
	return port, "/" + path
}
