package scenario

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/source"
	"github.com/rehearse-dev/rehearse/harness/vaultpath"
)

// attach holds against itself what a scenario says of a system that runs already.
func (c check) attach() {
	a := c.s.Attach
	if a == nil {
		return
	}
	places := 0
	for _, is := range []bool{a.Compose != "", len(a.URLs) > 0, a.Kubernetes != nil} {
		if is {
			places++
		}
	}
	switch {
	case places == 0:
		c.Report("attach", "compose: PROJECT, urls: {auth: http://…}, or kubernetes: {namespace: …, workloads: …}", "names nothing to attach to")
	case places > 1:
		c.Report("attach", "", "has more than one of compose, urls and kubernetes")
	}
	if a.Kubernetes != nil {
		c.kubernetes(a.Kubernetes)
	}
	for _, name := range slices.Sorted(maps.Keys(a.URLs)) {
		c.address(source.Join("attach.urls", name), a.URLs[name])
	}
	if len(c.s.Faults) > 0 {
		c.Report("faults", "rehearse them with services of the run's own", "a system that runs already is not disturbed")
	}
	if a.Prometheus != "" {
		c.address("attach.prometheus", a.Prometheus)
	}
	if a.Vault != nil {
		c.address("attach.vault.url", a.Vault.URL)
	}
	c.tokens(a)
	c.seen(a)
	c.counters(a)
	c.stopWhen(a)
	c.steps(a)
}

// address reports what is no base address.
func (c check) address(path, text string) {
	u, err := url.Parse(text)
	plain := err == nil && (u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "tcp" && strings.HasPrefix(path, "attach.urls"))
	if !plain || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		c.Report(path, "http(s)://HOST:PORT", "%q is no address", text)
	}
}

func (c check) tokens(a *Attach) {
	t := a.Tokens
	if t == nil {
		return
	}
	c.service("attach.tokens.from", t.From)
	c.tokenCall("attach.tokens", t.TokenCall)
	if len(t.Command) > 0 && (t.From != "" || t.Asked()) {
		c.Report("attach.tokens", "", "has both a command and an endpoint")
	}
	texts := slices.Concat(t.Command, slices.Collect(maps.Values(t.Texts())))
	c.mentions("attach.tokens", texts, "life", "seconds", "identifier", "credential")
}

func (c check) counters(a *Attach) {
	for _, name := range slices.Sorted(maps.Keys(a.Counters)) {
		path, counter := source.Join("attach.counters", name), a.Counters[name]
		c.service(path, name)
		switch {
		case (counter.Query == "") == (counter.Path == ""):
			c.Report(path, "path and field, or query", "wants one place where it is counted")
		case len(counter.Labels) > 0 && counter.Query == "":
			c.Report(path+".labels", "", "are of the samples of a query")
		case counter.Query != "" && a.Prometheus == "":
			c.Report(path+".query", "say attach.prometheus", "there is no Prometheus to ask")
		case counter.Path != "" && (!strings.HasPrefix(counter.Path, "/") || counter.Field == ""):
			c.Report(path, "as {path: /status, field: served}", "wants a path and a field of its answer")
		}
	}
}

func (c check) stopWhen(a *Attach) {
	for i, w := range a.StopWhen {
		path := fmt.Sprintf("attach.stop_when[%d]", i)
		switch {
		case (w.Query == "") == (w.URL == ""):
			c.Report(path, "query: 'sum(rate(errors_total[1m])) > 5', or url: '{{ .shop.url }}/healthz'", "wants one thing to ask")
		case w.Query != "" && a.Prometheus == "":
			c.Report(path+".query", "say attach.prometheus", "there is no Prometheus to ask")
		}
		if w.For < 0 {
			c.Report(path+".for", "30s is usual", "cannot be less than 0")
		}
		c.mentions(path+".url", []string{w.URL})
	}
}

func (c check) steps(a *Attach) {
	for _, name := range slices.Sorted(maps.Keys(a.Steps)) {
		path := source.Join("attach.steps", name)
		if !slices.Contains(StepNames, name) {
			c.Report(path, source.DidYouMean(name, StepNames), "no step is called %q", name)
			continue
		}
		c.act(path, name, a.Steps[name], a)
	}
	if a.Rotator != nil {
		c.rotator(a)
	}
	for _, name := range StepNames {
		if _, ok := a.Steps[name]; !ok && a.Rotator == nil && !slices.Contains(optionalSteps, name) && a.Undoes(name) == "" {
			hint := "what you do for it: a command, an http call or a vault write"
			switch {
			case slices.Contains(cannotSteps, name):
				hint += ", or {cannot: why}"
			case name == "revoke":
				hint += ", or {expires: 40s}"
			}
			c.Report("attach.steps", hint, "nothing is said for %s", name)
		}
	}
	for _, rule := range slices.Sorted(maps.Keys(a.Waive)) {
		path := source.Join("attach.waive", rule)
		switch {
		case !slices.Contains(Waivable, rule):
			c.Report(path, "these can be: "+strings.Join(Waivable, ", "), "%q is no rule that can be waived", rule)
		case strings.TrimSpace(a.Waive[rule]) == "":
			c.Report(path, "say why, for whoever reads the report", "has no reason")
		}
	}
}

func (c check) act(path, name string, act Act, a *Attach) {
	told := slices.Contains([]string{MakeStep, "current", "value", "new"}, name)
	ways := 0
	prints := act.Secret != nil && len(act.Command) > 0
	for _, is := range []bool{len(act.Command) > 0 && !prints, act.HTTP != nil, act.Vault != nil, act.Kube(), act.Cannot != "", act.Expires != 0} {
		if is {
			ways++
		}
	}
	if ways != 1 {
		c.Report(path, "command, http, vault, secret, annotate or rollout", "says %d things to do, want one", ways)
	}
	if told && act.Kube() {
		c.Report(path, "command, http or vault", "nothing in a cluster tells what %s asks for", name)
	}
	c.kube(path, act, a)
	switch {
	case act.Cannot != "" && !slices.Contains(cannotSteps, name):
		c.Report(path+".cannot", "it is for "+strings.Join(cannotSteps, ", "), "a rotation cannot do without %s", name)
	case act.Expires != 0 && name != "revoke":
		c.Report(path+".expires", "", "is for revoke")
	case act.Expires < 0:
		c.Report(path+".expires", "", "must be more than 0")
	}
	if len(act.Environment) > 0 && len(act.Command) == 0 {
		c.Report(path+".environment", "", "is for a command")
	}
	if c.Has(path+".timeout") && act.Timeout <= 0 {
		c.Report(path+".timeout", "30s is usual", "must be more than 0")
	}
	if act.Vault != nil && a.Vault == nil {
		c.Report(path+".vault", "say attach.vault.url", "there is no Vault to write to")
	}
	if act.Vault != nil {
		// What is filled in is one segment, or a part of one; it is looked at again
		// when it is known.
		path := path + ".vault.path"
		if err := vaultpath.Written(ReplaceMentions(act.Vault.Path, func(Mention) string { return "x" })); err != nil && act.Vault.Path != "" {
			c.Report(path, "as secret/data/auth/key, without /v1/: "+vaultpath.Hint, "%v", err)
		}
	}
	byAnswer := act.HTTP != nil || act.Vault != nil
	switch {
	case !told:
		c.misplaced(path, "is for make", "identifier")
	case byAnswer && act.Identifier == "":
		c.Report(path+".identifier", "as data.keys.0.kid", "wants where in the answer the new identifier is")
	case !byAnswer && len(act.Command) > 0 && act.Identifier != "":
		c.Report(path+".identifier", "", "a command prints it as its last line")
	}
	words := []string{"credential", "identifier"}
	if slices.Contains([]string{"rotator", "new", "stop"}, name) {
		words = nil // no new credential is known yet, or need be
	}
	if act.Secret != nil {
		if a.Value != nil {
			words = append(words, "value")
		}
		if prints {
			words = append(words, "printed")
		}
		used := Mentions(slices.Collect(maps.Values(act.Secret.Data))...)
		if prints && !slices.Contains(used, Mention{Name: "printed"}) {
			c.Report(path+".secret.data", "as {keys: \"{{ .printed }}\"}", "uses nothing of what the command prints")
		}
	}
	c.mentions(path, act.Texts(), words...)
}

// mentions reports what a text uses and is not to be had, and what cannot be read.
func (c check) mentions(path string, texts []string, words ...string) {
	for _, text := range texts {
		if _, err := contract.Words(text); err != nil {
			c.Report(path, "as {{ .NAME.url }}, {{ .env.NAME }}"+as(words), "%v", err)
		}
	}
	for _, m := range Mentions(texts...) {
		switch {
		case m.Part == "" && slices.Contains(words, m.Name), m.Name == "env" && m.Part != "":
		case m.Part == "url":
			c.service(path, m.Name)
		default:
			c.Report(path, strings.Join(append(slices.Clone(words), "NAME.url or env.NAME"), ", "), "{{ .%s }} is not to be had", strings.TrimSuffix(m.Name+"."+m.Part, "."))
		}
	}
}

// as are words as they are written in a text.
func as(words []string) (written string) {
	for _, word := range words {
		written += ", " + contract.Word(word).String()
	}
	return written
}

// attachedTo holds one service of a system that runs already.
func (c check) attachedTo(path string, s Service) {
	c.misplaced(path, "is for services that the run starts", "serve", "image", "build", "command", "environment", "files",
		"refresh", "ttl", "pinned", "distribution", "delay", "fails", "reload", "env_file", "volumes", "replicas", "count", "rollout", "batches", "init")
	for i, port := range s.Ports {
		if port < 1 || port > 65535 {
			c.Report(fmt.Sprintf("%s.ports[%d]", path, i), "", "%d is no port", port)
		}
	}
	if s.Healthcheck != "" && !strings.HasPrefix(s.Healthcheck, "/") {
		c.Report(path+".healthcheck", "the path that answers 200 when it is ready: /healthz", "%q is not a path", s.Healthcheck)
	}
	name := path[strings.LastIndex(path, ".")+1:]
	switch a := c.s.Attach; {
	case a.Kubernetes != nil && a.Kubernetes.Workloads[name] == "":
		c.Report(path, "add it to attach.kubernetes.workloads", "nothing is said of what runs it")
	case a.Kubernetes == nil && a.Compose == "" && a.URLs[name] == "":
		c.Report(path, "add it to attach.urls", "has no address")
	}
}
