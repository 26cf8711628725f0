package scenario

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// parts are what can be had of a name in a setting that is no service's.
var parts = map[string][]string{
	"store":  {"path", "token", "url", "host", "port"},
	"files":  nil, // the files of the service itself
	"secret": nil, // as its family has it
	"tls":    {"ca", "certificate", "key"},
}

// scaledPart is a duration with the unit in which it is wanted: 10m.ms.
var scaledPart = regexp.MustCompile(`^([0-9a-z.]+)\.(ms|s)$`)

// Scaled is the page duration and the unit of an action {{ .scaled.10m.ms }}.
func Scaled(part string) (d runbook.Duration, unit string, err error) {
	found := scaledPart.FindStringSubmatch(part)
	if found == nil {
		return 0, "", fmt.Errorf("%q is no duration and unit: want 10m.ms or 10m.s", part)
	}
	return d, found[2], d.UnmarshalText([]byte(found[1]))
}

// external checks what a service of a team's own says of itself.
func (c check) external(at string, s Service) {
	c.misplaced(at, "is for a stand-in, and this is a service of your own", "refresh", "ttl", "pinned", "holds", "fails", "life", "pool", "swaps_pool", "prepares", "auth_query", "pooling", "login_retry", "keeps_sessions", "users", "rotated_by", "connections",
		"algorithms", "leeway", "retries", "retry_after", "idempotency", "checks_late", "lag", "taken", "count", "rollout", "batches")
	for i, port := range s.Ports {
		if port < 1 || port > 65535 {
			c.Report(fmt.Sprintf("%s.ports[%d]", at, i), "", "%d is no port", port)
		}
	}
	switch port, path := s.Health(); {
	case s.Healthcheck == "":
	case !strings.HasPrefix(path, "/") || port < 0 || port > 65535:
		c.Report(at+".healthcheck", "the path that answers 200 when it is ready: /healthz, or :9090/healthz at another port", "%q is not a path", s.Healthcheck)
	case port > 0 && !slices.Contains(s.Ports, port):
		c.Report(at+".healthcheck", fmt.Sprintf("ports: [8080, %d]", port), "port %d is not one of its ports", port)
	case port > 0 && !s.NeedsImage() && s.Replicas > 1:
		c.Report(at+".healthcheck", "a path, asked at {{ .NAME.port }}", "its replicas are on one machine, where one of them has port %d", port)
	}
	if !s.NeedsImage() {
		c.misplaced(at, "is for an image, and this is a command of this machine", "new_privileges", "entrypoint", "user", "volumes")
	}
	c.replicas(at, s)
	c.https(at, s)
	for i, word := range s.Entrypoint {
		c.asItIs(fmt.Sprintf("%s.entrypoint[%d]", at, i), word)
	}
	c.asItIs(at+".user", s.User)
	for i, file := range s.EnvFile {
		if err := relativeFile(file); err != nil {
			c.Report(fmt.Sprintf("%s.env_file[%d]", at, i), "as ./shop.env", "%v", err)
		}
	}
	for i, text := range s.Volumes {
		if v, err := ParseVolume(text); err != nil {
			c.Report(fmt.Sprintf("%s.volumes[%d]", at, i), "as ./conf:/etc/shop; it is copied into the container", "%v", err)
		} else if _, file := s.Files[v.To]; file {
			c.Report(fmt.Sprintf("%s.volumes[%d]", at, i), "one of them", "%s is one of its files too", v.To)
		}
	}
	if b := s.Build; b != nil && (b.Context == "" || path.IsAbs(b.Context)) {
		c.Report(at+".build.context", "as ../reports", "%q is not a path relative to this file", b.Context)
	}
	for _, file := range slices.Sorted(maps.Keys(s.Files)) {
		switch {
		case s.NeedsImage() && !path.IsAbs(file):
			c.Report(at+".files", "as /etc/reports.conf", "%q is not an absolute path of the image", file)
		case path.Clean("/"+file) != "/"+strings.TrimPrefix(file, "/") || file == "/" || strings.ContainsFunc(file, unicode.IsControl):
			c.Report(at+".files", "as /run/secrets/key", "%q is not the path of a file", file)
		}
	}
	c.OneOf(at+".distribution", s.Distribution, runbook.Distributions)
	if runbook.Way(s.Distribution) != runbook.File && !s.HasSecretFiles() && (s.Distribution != "" || s.Gets() != runbook.File) {
		c.misplaced(at, "is for distribution file, secret-volume and config-map", "delay")
	}
	c.settings(at, s)
	c.arguments(at, s)
	c.login(at, s)
	c.reload(at+".reload", s)
	c.refusal(at+".refusal", s)
}

// https holds against a service that it speaks TLS.
func (c check) https(at string, s Service) {
	name := at[strings.LastIndex(at, ".")+1:]
	actions := s.Actions()
	switch has := func(part string) bool { return slices.Contains(actions, Action{"tls", part}) }; {
	case !s.HTTPS:
	case !s.Listens(name):
		c.Report(at+".https", fmt.Sprintf("ports: [8443], or of a command {{ .%s.port }}", name), "nothing says where it listens")
	case !has("certificate") || !has("key"):
		c.Report(at+".https", "files: {/etc/tls/tls.crt: \"{{ .tls.certificate }}\", /etc/tls/tls.key: \"{{ .tls.key }}\"}",
			"its settings have no certificate that others of the rehearsal trust")
	case s.Replicas > 1:
		c.Report(at+".https", "replicas: 1", "the balancer before its replicas does not speak TLS")
	}
}

// replicas holds against a service that there are several of it.
func (c check) replicas(at string, s Service) {
	if !c.Has(at + ".replicas") {
		return
	}
	if s.Replicas < 1 || s.Replicas > mostReplicas {
		c.Report(at+".replicas", "1 without it", "is %d, want 1 to %d", s.Replicas, mostReplicas)
		return
	}
	name := at[strings.LastIndex(at, ".")+1:]
	for i := range s.Replicas {
		if _, ok := c.s.Services[ReplicaName(name, i)]; ok && s.Replicas > 1 {
			c.Report(at+".replicas", "give that service another name", "%s is the name of another service and of its replica", ReplicaName(name, i))
		}
	}
	if s.Replicas > 1 && !s.NeedsImage() && len(s.Ports) > 0 && !slices.Contains(s.Actions(), Action{name, "port"}) {
		c.Report(at+".replicas", fmt.Sprintf("have it listen at {{ .%s.port }}, as environment: {PORT: \"{{ .%s.port }}\"}", name, name),
			"each replica of a command has a port of its own, and nothing tells it which")
	}
	for i, f := range c.s.Faults {
		if f.On == name && s.Replicas > 1 {
			c.Report(fmt.Sprintf("faults[%d].on", i), "an edge from or to it, or replicas: 1", "%s has replicas, and a fault is at one service", name)
		}
	}
}

// arguments keeps values of secrets out of a command, which the list of processes
// shows.
func (c check) arguments(at string, s Service) {
	c.shown(at+".command", s.Command)
	for i, command := range s.Init {
		path := fmt.Sprintf("%s.init[%d]", at, i)
		if len(command) == 0 {
			c.Report(path, "[./migrate, up]", "has no program")
		}
		c.shown(path, command)
	}
}

// shown holds the words of one command.
func (c check) shown(at string, command []string) {
	for _, a := range (Service{Command: command}).Actions() {
		if a.Name == "secret" && a.Part != "file" || a.Name == "store" && a.Part == "token" || a.Name == "tls" {
			c.Report(at, "have it in the environment or in files", "{{ .%s.%s }} is a value, and has no place here", a.Name, a.Part)
		}
	}
}

// login wants the user beside the password, where each credential has one of its own.
func (c check) login(at string, s Service) {
	asked, database := runbook.DatabaseOf(c.formatType())
	if !database {
		return
	}
	one := asked.OneLogin(0, 0)
	for _, name := range c.names() {
		if s := c.s.Services[name]; runbook.Databases[s.Serve].Type == asked.Type {
			one = asked.OneLogin(s.Holds, s.Users)
		}
	}
	if one {
		return
	}
	asks := func(parts ...string) bool {
		return slices.ContainsFunc(s.Actions(), func(a Action) bool { return a.Name == "secret" && slices.Contains(parts, a.Part) })
	}
	if asks("value") && !asks("user", "json", "file") {
		c.Report(at, "name it by {{ .secret.user }}, or give the database holds: 1, so that there is one role", "has {{ .secret.value }} without the user whose password it is: the next one is another role's")
	}
}

// reload wants one way in which a service is made to use what has changed.
func (c check) reload(at string, s Service) {
	r := s.Reload
	if r == nil {
		return
	}
	ways := 0
	for _, set := range []bool{r.Signal != "", r.HTTP != nil, r.Restart} {
		if set {
			ways++
		}
	}
	if ways != 1 {
		c.Report(at, "signal: HUP, http: {path: /reload} or restart: true", "says %d ways, want one", ways)
	}
	c.OneOf(at+".signal", r.Signal, Signals)
	if r.HTTP != nil && !strings.HasPrefix(r.HTTP.Path, "/") {
		c.Report(at+".http.path", "it begins with /", "%q is not a path", r.HTTP.Path)
	}
	if r.HTTP != nil && len(s.Ports) == 0 && s.NeedsImage() {
		c.Report(at+".http", "say its ports", "it has no port to be called at")
	}
	if runbook.Way(cmp.Or(s.Distribution, s.Gets())) == runbook.Env {
		c.Report(at, "without it, or with the secret in a file ({{ .files.NAME }})", "is not for a service that has the secret in its environment: it is started anew for each change in any case")
	}
}

// refusal wants patterns that can be read.
func (c check) refusal(at string, s Service) {
	r := s.Refusal
	if r == nil {
		return
	}
	for i, status := range r.Statuses {
		if status < 100 || status > 599 {
			c.Report(fmt.Sprintf("%s.statuses[%d]", at, i), "", "%d is no HTTP status", status)
		}
	}
	name, value, ok := strings.Cut(r.Header, ":")
	if r.Header != "" && (!ok || strings.TrimSpace(name) == "") {
		c.Report(at+".header", `as "WWW-Authenticate: invalid_token"`, "%q is not NAME: PATTERN", r.Header)
	}
	for key, pattern := range map[string]string{"header": strings.TrimSpace(value), "body": r.Body, "log": r.Log} {
		if _, err := regexp.Compile(pattern); err != nil {
			c.Report(at+"."+key, "", "%v", err)
		}
	}
}

// presented holds what a client presents against where that comes from.
func (c check) presented(at string, t Token) {
	if !isHeader(t.Header) {
		c.Report(at+".header", `X-Token, "Authorization: Token" or "Cookie: session="`, "%q is not NAME or NAME: SCHEME", t.Header)
	}
	if t.File != "" {
		for _, key := range slices.Concat([]string{"from", "life", "renew_at", "on_refusal", "iss", "aud", "claims"}, tokenCallKeys) {
			if c.Has(at + "." + key) {
				c.Report(at+"."+key, "", "is for a token that is fetched, and this one is a file's")
			}
		}
		if path.IsAbs(t.File) {
			c.Report(at+".file", "as ../token.jwt", "%q is not a path relative to this file", t.File)
		}
		return
	}
	from, known := c.s.Services[t.From]
	if known && !from.External() {
		c.misplacedToken(at, tokenCallKeys...)
	}
	if known && from.External() {
		c.misplacedToken(at, "iss", "aud", "claims")
	}
	for _, name := range slices.Sorted(maps.Keys(t.Claims)) {
		if hint, set := setByIssuer[name]; set {
			c.Report(source.Join(at+".claims", name), hint, "the issuer sets it")
		}
	}
	c.tokenCall(at, t.TokenCall)
}

// tokenCallKeys are those of a TokenCall.
var tokenCallKeys = []string{"path", "method", "form", "body", "headers", "basic", "private_key_jwt", "field"}

// setByIssuer are the claims that the stand-in sets itself (RFC 7519 §4.1, RFC 9068 §2.2),
// with where else a scenario says what they are.
var setByIssuer = map[string]string{
	"iss": "say iss beside claims", "aud": "say aud beside claims",
	"exp": "its life is load.token.life", "nbf": "its life is load.token.life", "iat": "its life is load.token.life",
	"sub": "it is the session", "jti": "each token has its own", "client_id": "it is the client's name",
}

// tokenCall holds against itself how a token endpoint is asked.
func (c check) tokenCall(at string, t contract.TokenCall) {
	if t.Path != "" && !strings.HasPrefix(t.Path, "/") {
		c.Report(at+".path", "it begins with /", "%q is not a path", t.Path)
	}
	c.OneOf(at+".method", t.Method, []string{"POST", "GET"})
	if t.Body != "" && len(t.Form) > 0 {
		c.Report(at+".body", "one of them", "is sent in place of a form, and there is a form too")
	}
	if t.Body != "" && t.Method == "GET" {
		c.Report(at+".body", "method: POST", "is not sent with GET")
	}
	for _, name := range slices.Sorted(maps.Keys(t.Headers)) {
		if !isHeader(name) || strings.Contains(name, ":") {
			c.Report(source.Join(at+".headers", name), "as X-Tenant", "%q is no name of a header", name)
		}
	}
	if t.Basic != nil && (t.Basic.ID == "" || t.Basic.Secret == "") {
		c.Report(at+".basic", "{id: shop, secret: '{{ .env.CLIENT_SECRET }}'}", "wants the client's id and its secret")
	}
	if k := t.PrivateKeyJWT; k != nil {
		if k.ID == "" || k.Key == "" {
			c.Report(at+".private_key_jwt", "{id: shop, key: '{{ .env.CLIENT_KEY }}'}", "wants the client's id and its key, as PEM")
		}
		if t.Basic != nil || t.Body != "" || t.Method == "GET" {
			c.Report(at+".private_key_jwt", "leave basic, body and method out", "is sent in a form, and in place of a secret")
		}
		c.OneOf(at+".private_key_jwt.algorithm", k.Algorithm, contract.AssertionAlgorithms)
	}
	if strings.HasPrefix(t.Field, ".") || strings.HasSuffix(t.Field, ".") || strings.Contains(t.Field, "..") {
		c.Report(at+".field", "as data.token", "%q is no path into a JSON object", t.Field)
	}
}

// misplacedToken reports keys that say nothing to the issuer of a token.
func (c check) misplacedToken(at string, keys ...string) {
	for _, key := range keys {
		if c.Has(at + "." + key) {
			c.Report(at+"."+key, "iss, aud and claims are for a stand-in; how it is asked is for an issuer of your own", "has no meaning for this issuer")
		}
	}
}
