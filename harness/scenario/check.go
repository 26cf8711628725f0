package scenario

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/protocol"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// Values that a scenario can choose from.
var (
	RotatedBys = []string{RotatedByVault}
	ServeKinds = runbook.Kinds()
	GateModes  = []string{string(Enforce), string(Observe), string(Off)}
	OnBudgets  = []string{string(BudgetRecord), string(BudgetRollback)}
	Scales     = []string{string(ScaleFull), string(ScaleNone)}
	Algorithms = contract.SignatureAlgorithms()
	OnRefusals = []string{string(Keep), string(Renew)}
	Verdicts   = []string{"fail", "inconclusive", "pass"}
	Extras     = []string{"allow"}
	// SpeakTLS are the stand-ins that can speak TLS: those that are called by HTTP, and
	// that no other thing stands before.
	SpeakTLS = []string{"issuer", "provider", "receiver", "verifier"}
	// Idempotencies are those of a provider; a charger has none, or the default.
	Idempotencies = []string{"account", "key", None}
)

// LeastSpeed is the least of a scenario: a hundred times slower than its page.
const LeastSpeed = 0.01

// None is the idempotency of who has none.
const None = "none"

// check holds a merged scenario against itself and against its page. The
// embedded checker reports at the scenario, onPage at the page.
type check struct {
	*source.Checker
	s      *Scenario
	page   *runbook.Runbook // nil: it could not be read
	onPage *source.Checker
	faults []string // the kinds that there are; none: any
}

func (c check) all() {
	runbook.CheckHead(c.Checker, c.s.APIVersion, c.s.Kind, Kind)
	c.OneOf("gates", string(c.s.Gates), GateModes)
	c.OneOf("runtime", c.s.Runtime, []string{Simulated})
	c.OneOf("on_budget", string(c.s.OnBudget), OnBudgets)
	if phase := c.s.RollbackFrom; phase != "" {
		if invalid := CheckRollbackFrom(phase); invalid != nil {
			c.Report("rollback_from", invalid.Hint, "%s", invalid.Message)
		}
	}
	if c.Has("speed") && !(c.s.Speed >= LeastSpeed) {
		c.Report("speed", "1 runs in page time, 60 makes a minute of a second", "must be at least %g", LeastSpeed)
	}
	c.attach()
	if c.s.Attach == nil && slices.Contains(runbook.NoStandIn, c.formatType()) {
		c.Report("runbook", "rehearse it where it runs, by attach", "is of a page of format.type %q, and no stand-in serves one", c.formatType())
	}
	c.services()
	if c.page != nil {
		c.consumers()
	}
	c.load()
	for i, f := range c.s.Faults {
		c.fault(fmt.Sprintf("faults[%d]", i), f)
	}
	c.vary()
	if e := c.s.Expect; e != nil {
		c.OneOf("expect.verdict", e.Verdict, Verdicts)
		c.OneOf("expect.extra", e.Extra, Extras)
	}
}

// names are those of the services, sorted.
func (c check) names() []string { return slices.Sorted(maps.Keys(c.s.Services)) }

// service reports a name that is no service's; an empty name passes.
func (c check) service(path, name string) (Service, bool) {
	s, ok := c.s.Services[name]
	if !ok && name != "" {
		c.Report(path, source.DidYouMean(name, c.names()), "no service %q", name)
	}
	return s, ok
}

// consumers holds the consumers of the page against the services.
func (c check) consumers() {
	family, built := runbook.Traits[c.page.Scope.Family]
	for i, consumer := range c.page.Consumers {
		path := fmt.Sprintf("consumers[%d]", i)
		s, ok := c.s.Services[consumer.Name]
		if !ok {
			if consumer.Name != "" {
				c.onPage.Report(path+".name", source.DidYouMean(consumer.Name, c.names()),
					"consumer %q has no service in the scenario", consumer.Name)
			}
			continue
		}
		at := "services." + consumer.Name
		if s.Library != "" && consumer.Library != "" && s.Library != consumer.Library {
			c.Report(at+".library", "", "is %q, and the page says %q", s.Library, consumer.Library)
		}
		if !built || s.Serve == "" || !slices.Contains(family.Kinds(), s.Serve) {
			continue
		}
		if consumer.Has(runbook.Emits) && !slices.Contains(family.EmittedBy, s.Serve) {
			c.Report(at+".serve", "the page gives it the role emit: "+strings.Join(family.EmittedBy, ", "), "%q does not emit", s.Serve)
		}
		if checks := slices.Concat(family.CheckedBy, family.Poolers); consumer.Has(runbook.Validates) && !slices.Contains(checks, s.Serve) {
			c.Report(at+".serve", "the page gives it the role validate: "+strings.Join(checks, ", "), "%q does not validate", s.Serve)
		}
	}
}

// consumer finds a service's consumer on the page.
func (c check) consumer(name string) (runbook.Consumer, bool) {
	if c.page == nil {
		return runbook.Consumer{}, false
	}
	i := slices.IndexFunc(c.page.Consumers, func(have runbook.Consumer) bool { return have.Name == name })
	if i < 0 {
		return runbook.Consumer{}, false
	}
	return c.page.Consumers[i], true
}

// load holds each client against the services and against the others.
func (c check) load() {
	c.bounds()
	first := map[string]string{}
	for i, client := range c.s.Load {
		path := fmt.Sprintf("load[%d]", i)
		c.targets(path, client)
		for j, one := range client.Each() {
			at := path
			if len(client.Targets) > 0 {
				at = fmt.Sprintf("%s.targets[%d]", path, j)
			}
			if earlier, twice := first[one.Client]; twice && one.Client != "" {
				c.Report(path+".client", "", "client %q is given twice, first as %s", one.Client, earlier)
			} else {
				first[one.Client] = at
			}
			c.target(at, one)
		}
		c.client(path, client)
	}
}

// target holds what a client says of one service that it calls.
func (c check) target(path string, client Client) {
	to, known := c.service(path+".to", client.To)
	if p := client.Request.Path; p != "" && !strings.HasPrefix(p, "/") {
		c.Report(path+".request.path", "it begins with /", "%q is not a path", p)
	}
	if m := client.Request.Method; strings.Trim(m, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		c.Report(path+".request.method", "as GET or POST", "%q is not a method", m)
	}
	c.protocol(path+".request", client.Request, to, known)
	c.requestWords(path+".request", client.Request)
	c.endpoint(path, client, to, known)
	if client.Token == nil && known && to.Serve == "verifier" {
		c.Report(path, "token: {} has the defaults", "a verifier refuses every request without a token")
	}
}

// protocol holds the protocol of a request against the rest of it, and whether the service
// that is called speaks it.
func (c check) protocol(path string, r Request, to Service, known bool) {
	at := path + ".protocol"
	if !c.Has(at) || !c.OneOf(at, r.Protocol, protocol.Names) {
		return
	}
	switch {
	case known && to.Serve != "":
		c.Report(at, "leave it out", "a stand-in speaks HTTP/1.1")
	case known && to.Replicas > 1:
		c.Report(at, "replicas: 1", "the balancer before its replicas speaks HTTP/1.1")
	}
	if r.Protocol != string(protocol.GRPC) {
		return
	}
	c.misplaced(path, "is POST of a gRPC call", "method")
	if service, method, ok := strings.Cut(strings.TrimPrefix(r.Path, "/"), "/"); !ok || service == "" || method == "" || strings.Contains(method, "/") {
		c.Report(path+".path", "as /shop.v1.Orders/List", "a gRPC call is of /PACKAGE.SERVICE/METHOD")
	}
	if _, err := protocol.GRPC.Body(r.Body); err != nil {
		c.Report(path+".body", "as `echo 'id: 7' | protoc --encode=shop.v1.Order orders.proto | base64` has it; without it the message is empty", "%v", err)
	}
}

// client holds what a client says of itself, whatever it calls.
func (c check) client(path string, client Client) {
	if client.Client != "" {
		runbook.CheckName(c.Checker, path+".client", client.Client)
	}
	if c.Has(path+".sessions") && client.Sessions < 1 {
		c.Report(path+".sessions", "", "is %d, the least is 1", client.Sessions)
	}
	c.alike(path, client.Count)
	if most := float64(client.Most()); client.Count > 1 && most*float64(client.Count) > MostRate {
		c.Report(path+".count", fmt.Sprintf("%d at that rate", max(1, int(MostRate/most))),
			"%d of them make %.0f requests in a second, the most is %d", client.Count, most*float64(client.Count), MostRate)
	}
	if c.Has(path+".timeout") && client.Timeout <= 0 {
		c.Report(path+".timeout", "5s without it", "must be more than 0")
	}
	c.pace(path, client)
	if client.Token != nil {
		c.tokenWords(path+".token", *client.Token)
		c.token(path+".token", *client.Token)
	}
}

// endpoint holds what a client says of the receiver of its events against the
// service that is to deliver them there.
func (c check) endpoint(path string, client Client, to Service, known bool) {
	switch {
	case known && to.Serve != "sender":
		c.misplaced(path, "is for a client of a sender", "endpoint")
	case known && client.Endpoint == "":
		c.Report(path+".endpoint", "the receiver: "+strings.Join(c.receivers(), ", "), "a sender must be told where to deliver")
	case known:
		c.misplaced(path, "is given by endpoint", "request")
		if s, ok := c.service(path+".endpoint", client.Endpoint); ok && s.Serve != "receiver" && !s.External() {
			c.Report(path+".endpoint", "the receiver: "+strings.Join(c.receivers(), ", "), "%q serves as %s", client.Endpoint, s.Serve)
		}
	}
}

// receivers are the services that deliveries can go to: stand-ins for a receiver, and those of a
// team's own.
func (c check) receivers() []string {
	return slices.DeleteFunc(c.names(), func(name string) bool { s := c.s.Services[name]; return s.Serve != "receiver" && !s.External() })
}

func (c check) token(path string, t Token) {
	if c.page != nil {
		if f, built := runbook.Traits[c.page.Scope.Family]; built && !slices.Contains(f.EmittedBy, "issuer") {
			c.Report(path, "", "family %s has no issuer of tokens", f.Name)
			return
		}
	}
	if s, ok := c.service(path+".from", t.From); ok && s.Serve != "issuer" && !s.External() && c.s.Attach == nil {
		c.Report(path+".from", "", "%q serves as %s, not as issuer", t.From, s.Serve)
	}
	c.presented(path, t)
	if c.Has(path+".life") && t.Life <= 0 {
		c.Report(path+".life", "", "must be more than 0")
	}
	if c.Has(path+".renew_at") && (t.RenewAt <= 0 || t.RenewAt >= 1) {
		c.Report(path+".renew_at", "a share of the life: 0.8", "is %v, not between 0 and 1", t.RenewAt)
	}
	c.OneOf(path+".on_refusal", string(t.OnRefusal), OnRefusals)
}

func (c check) fault(path string, f Fault) {
	if len(c.faults) > 0 {
		c.OneOf(path+".kind", f.Kind, c.faults)
	}
	switch {
	case f.On != "" && (f.From != "" || f.To != ""):
		c.Report(path, "", "has both on, a service, and from and to, an edge")
	case f.On == "" && (f.From == "" || f.To == ""):
		c.Report(path, "on: SERVICE, or from: SERVICE and to: SERVICE", "says no target")
	}
	for _, end := range []struct{ key, name string }{{"on", f.On}, {"from", f.From}, {"to", f.To}} {
		if !slices.Contains(runbook.Standing, end.name) { // the store and the load can be disturbed too
			c.service(path+"."+end.key, end.name)
		}
	}
}
