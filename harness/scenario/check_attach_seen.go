package scenario

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// seen holds what a scenario says of how credentials are had, presented and seen
// in families that have no tokens.
func (c check) seen(a *Attach) {
	if c.page == nil {
		return
	}
	f, built := runbook.Traits[c.page.Scope.Family]
	if !built {
		return
	}
	if f.Symmetric() && f.JudgedAt == history.FromLoad && a.Rotator != nil {
		c.Report("attach.rotator", "say steps, each with what your team does for it", "there is no key set: nothing tells when a new secret is accepted, or the old one is not any more")
	}
	if slices.Contains(f.EmittedBy, "issuer") {
		for _, key := range []string{"current", "value", "present", "decisions"} {
			if c.Has("attach." + key) {
				c.Report("attach."+key, "tokens say which key is in use", "is for secrets that sign no tokens")
			}
		}
		return
	}
	if a.Tokens != nil {
		c.Report("attach.tokens", "value and present say what probes show", "family %s has no tokens", f.Name)
	}
	for name, act := range map[string]*Act{"current": a.Current, "value": a.Value} {
		if act == nil {
			c.Report("attach", map[string]string{
				"current": "current: {command: [./which.sh]}, which prints the identifier of the one in use",
				"value":   "value: {command: [./value.sh, \"{{ .identifier }}\"]}, which prints it",
			}[name], "nothing is said for %s", name)
			continue
		}
		c.act("attach."+name, name, *act, a)
	}
	if len(a.Present) == 0 {
		c.Report("attach", "present: {db: {dsn: \"postgres://{{ .identifier }}:{{ .value }}@HOST/NAME\"}}", "nothing is said for present: who checks the credential, and how it is shown one")
	}
	for _, name := range slices.Sorted(maps.Keys(a.Present)) {
		c.present(source.Join("attach.present", name), name, a.Present[name], f)
	}
	for _, name := range slices.Sorted(maps.Keys(a.Decisions)) {
		c.decisions(source.Join("attach.decisions", name), name, a)
	}
	if len(a.Decisions) == 0 {
		c.Report("attach", "decisions: {db: {file: /var/log/postgresql/main.log, format: postgresql}}", "nothing is said for decisions: where it is told who was refused")
	}
}

// dsn is how the address of a kind of server is written.
type dsn struct {
	server, end string
	schemes     []string
}

// dsnOf is that of a page's type.
func dsnOf(format string) dsn {
	switch format {
	case RedisDecisions:
		return dsn{"Redis", "", []string{"redis", "rediss", "unix"}}
	case RabbitMQDecisions:
		return dsn{"RabbitMQ", "/VHOST", []string{"amqp", "amqps"}}
	case NATSDecisions:
		return dsn{"NATS", "", []string{"nats", "tls"}}
	case MariaDBDecisions:
		return dsn{"MariaDB", "/NAME", []string{"mysql", "mariadb"}}
	}
	return dsn{"PostgreSQL", "/NAME", []string{"postgres", "postgresql"}}
}

func (c check) present(path, name string, p Present, f runbook.FamilyTraits) {
	c.service(path, name)
	request := p.Method != "" || p.Path != "" || len(p.Headers) > 0 || p.Body != ""
	switch {
	case p.DSN != "" && (request || p.Signed):
		c.Report(path, "", "has both a dsn and a request")
	case p.DSN != "" && !slices.ContainsFunc(dsnOf(c.page.Format.Type).schemes, func(scheme string) bool { return strings.HasPrefix(p.DSN, scheme+"://") }):
		of := dsnOf(c.page.Format.Type)
		c.Report(path+".dsn", "as "+of.schemes[0]+"://USER:PASSWORD@HOST:PORT"+of.end, "is no address of a %s server", of.server)
	case p.DSN == "" && !strings.HasPrefix(p.Path, "/"):
		c.Report(path+".path", "it begins with /", "%q is not a path", p.Path)
	}
	if p.Signed && f.Name != "webhook-secret" {
		c.Report(path+".signed", "", "is for webhook-secret")
	}
	texts := append([]string{p.DSN, p.Path, p.Body}, slices.Collect(maps.Values(p.Headers))...)
	c.mentions(path, texts, "identifier", "credential", "value")
	shows := func(m Mention) bool { return m.Name == "value" }
	if !p.Signed && !slices.ContainsFunc(Mentions(texts...), shows) {
		c.Report(path, "with {{ .value }}", "presents no credential")
	}
}

// oneName reports a server that tells a credential by the name under which it logs in,
// where both have one, which does not forget the old one by taking the new one.
func (c check) oneName(path, name string, d Decisions, a *Attach) {
	login, _, _ := strings.Cut(a.Present[name].DSN, "@")
	_, user, _ := strings.Cut(login, "://")
	user, _, _ = strings.Cut(user, ":")
	if d.Format == "" || user == "" || len(Mentions(user)) > 0 || c.s.Services[name].Holds == 1 {
		return
	}
	c.Report(path+".format", fmt.Sprintf("a user each, as {{ .identifier }}:{{ .value }}@; or accepted and refused of the log of who presents it; services: {%s: {holds: 1}} where the new password takes the old one's place", name),
		"tells who logged in, and both credentials log in as %s: which of them was presented is not told", user)
}

func (c check) decisions(path, name string, a *Attach) {
	d := a.Decisions[name]
	c.service(path, name)
	at := func(schemes ...string) bool {
		return slices.ContainsFunc(schemes, func(scheme string) bool { return strings.HasPrefix(d.Server, scheme+"://") })
	}
	switch {
	case d.Format == RedisDecisions && !at("redis", "rediss", "unix"):
		c.Report(path+".server", "as redis://observer:{{ .env.REDIS_OBSERVER }}@HOST:PORT", "is no address of a Redis server: it has no log of who logs in, and is asked")
	case d.Format == RedisDecisions && d.File != "":
		c.Report(path+".file", "leave it out", "is not read: a Redis server has no log of who logs in")
	case d.Format == NATSDecisions && !at("http", "https"):
		c.Report(path+".server", "as http://HOST:8222, its http_port", "is no address of a monitoring port: a NATS server logs nobody who is let in, and is asked")
	case d.Format == RabbitMQDecisions && d.Server != "" && !at("http", "https"):
		c.Report(path+".server", "as http://observer:{{ .env.OBSERVER }}@HOST:15672", "is no address of a management API")
	case d.Server != "" && !slices.Contains([]string{RedisDecisions, NATSDecisions, RabbitMQDecisions}, d.Format):
		c.Report(path+".server", "", "is of format nats, redis or rabbitmq")
	}
	c.mentions(path+".server", []string{d.Server})
	c.oneName(path, name, d, a)
	if d.File == "" && a.Compose == "" && a.Kubernetes == nil && d.Format != RedisDecisions && d.Format != NATSDecisions {
		c.Report(path+".file", "the path of the log on this machine", "is missing: nobody follows the log of an address")
	}
	c.OneOf(path+".format", d.Format, DecisionFormats)
	switch {
	case d.Format == "" && (d.Accepted == "" || d.Refused == ""):
		c.Report(path, "accepted and refused, or format: "+strings.Join(DecisionFormats, ", "), "does not say how both are told")
	case d.Format != "" && (d.Accepted != "" || d.Refused != ""):
		c.Report(path, "", "has both a format and regular expressions")
	}
	for key, text := range map[string]string{"accepted": d.Accepted, "refused": d.Refused} {
		pattern, err := regexp.Compile(text)
		if err != nil {
			c.Report(path+"."+key, "", "is no regular expression: %v", err)
		} else if text != "" && pattern.SubexpIndex("identifier") < 0 {
			c.Report(path+"."+key, "as key=(?P<identifier>\\S+)", "has no group identifier, by which the credential is known")
		}
	}
	if timed := strings.Contains(d.Accepted, "(?P<time>"); timed != strings.Contains(d.Refused, "(?P<time>") {
		key := map[bool]string{true: "refused", false: "accepted"}[timed]
		c.Report(path+"."+key, "(?P<time>…) in both, or in neither", "has no group time, and the other has: what came first could not be told")
	}
}
