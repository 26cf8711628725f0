package fault

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/source"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// Graph is a run before its start, as faults change it. Prepare makes it.
type Graph struct {
	plan   *plan.Plan
	token  string // the stand-ins' token for disturbances
	orders []order
	edges  []Edge
	open   map[string]bool // services that are told the token
	format atomic.Pointer[string]
}

// Edge is a way from one service to another through something that was put there: a proxy, or a cache
// that is off at first.
type Edge struct {
	From, To, Via string
	serve         string // what Via is: byProxy, byCache
}

// What can be put on an edge, as stand-ins are called.
const (
	byProxy = "proxy"
	byCache = "cache"
)

// String is the edge as an event's target has it.
func (e Edge) String() string { return edgeName(e.From, e.To) }

func edgeName(from, to string) string { return from + " → " + to }

// order is a fault of the scenario with its kind.
type order struct {
	kind  Kind
	fault scenario.Fault
}

// target is what an order is aimed at, as an event names it.
func (o order) target() string {
	if o.kind.Edge {
		return edgeName(o.fault.From, o.fault.To)
	}
	return o.fault.On
}

// Prepare checks the faults of a plan whose services were configured, and prepares what must be there
// before the start. The error names every fault that is impossible.
func Prepare(p *plan.Plan) (*Graph, error) {
	g := &Graph{plan: p, token: rand.Text(), open: map[string]bool{}}
	var errs []error
	for i, f := range p.Rehearsal.Faults {
		if err := g.order(f); err != nil {
			errs = append(errs, fmt.Errorf("prepare faults[%d], %s: %w", i, f.Kind, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return g, nil
}

// Timed is nil where every fault of a plan can begin when the scenario has it begin,
// wherever it is rehearsed; the error names all that cannot.
func Timed(p *plan.Plan) error {
	var errs []error
	for i, f := range p.Rehearsal.Faults {
		for _, k := range kinds {
			if k.Name != f.Kind || k.at == nil {
				continue
			}
			if err := k.at(f); err != nil {
				errs = append(errs, fmt.Errorf("faults[%d], %s: %w", i, f.Kind, err))
			}
		}
	}
	return errors.Join(errs...)
}

func (g *Graph) order(f scenario.Fault) error {
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == f.Kind })
	if i < 0 {
		return fmt.Errorf("there is no such kind: %s", source.DidYouMean(f.Kind, Names()))
	}
	k := kinds[i]
	if err := g.aimed(k, f); err != nil {
		return err
	}
	if k.at != nil {
		if err := k.at(f); err != nil {
			return err
		}
	}
	if k.prepare != nil {
		if err := k.prepare(f, g); err != nil {
			return err
		}
	}
	g.orders = append(g.orders, order{k, f})
	return nil
}

// aimed checks that a fault has a target of its kind, a service or an edge of the plan; every run has
// the harness's own services.
func (g *Graph) aimed(k Kind, f scenario.Fault) error {
	ends := []string{f.On}
	switch {
	case k.Edge && (f.From == "" || f.To == ""):
		return errors.New("it needs an edge: from: NAME, to: NAME")
	case k.Edge:
		ends = []string{f.From, f.To}
	case f.On == "":
		return errors.New("it needs a service: on: NAME")
	}
	names := slices.Clone(runbook.Standing)
	for _, s := range g.plan.Services {
		names = append(names, s.Name)
	}
	for _, end := range ends {
		if !slices.Contains(names, end) {
			return fmt.Errorf("there is no service %q: %s", end, source.DidYouMean(end, names))
		}
	}
	return nil
}

// service finds a service of the plan.
func (g *Graph) service(name string) (plan.Service, bool) {
	i := slices.IndexFunc(g.plan.Services, func(s plan.Service) bool { return s.Name == name })
	if i < 0 {
		return plan.Service{}, false
	}
	return g.plan.Services[i], true
}

// serves checks that a service is a stand-in of one of these kinds, and gives it the token for
// disturbances.
func (g *Graph) serves(name string, kinds ...string) error {
	s, ok := g.service(name)
	if g.plan.Rehearsal.Attach != nil || !ok || !slices.Contains(kinds, s.Serve) {
		return fmt.Errorf("%s is none that serves as %s: %w", name, strings.Join(kinds, " or "), ErrCannot)
	}
	g.open[name] = true
	return nil
}

// known checks a parameter of a fault.
func known(parameter, value string, values ...string) error {
	if slices.Contains(values, value) {
		return nil
	}
	return fmt.Errorf("%s is %q: %s", parameter, value, source.DidYouMean(value, values))
}

// Type is the type of a credential that is made now: the page's, unless a fault
// makes it another.
func (g *Graph) Type(page string) string {
	if other := g.format.Load(); other != nil {
		return *other
	}
	return page
}

// Secrets are what was made for the faults of this run and must not be shown.
func (g *Graph) Secrets() []string { return []string{g.token} }

// Token is the run's own, with which its stand-ins let themselves be controlled.
func (g *Graph) Token() string { return g.token }

// Edges are those with something on them.
func (g *Graph) Edges() []Edge { return slices.Clone(g.edges) }

// edge puts a proxy or a cache on an edge, once. There is room for one: with both, the effect of one
// could be taken for the other's.
func (g *Graph) edge(from, to, serve string) error {
	if g.secured(to) && serve == byCache {
		return fmt.Errorf("%s speaks TLS, and a cache before it speaks HTTP: %w", to, ErrCannot)
	}
	for _, e := range g.edges {
		switch {
		case e.From != from || e.To != to:
		case e.serve == serve:
			return nil
		default:
			return fmt.Errorf("another fault puts a %s on %s, and there is no room for a %s beside it: %w", e.serve, e, serve, ErrCannot)
		}
	}
	g.edges = append(g.edges, Edge{from, to, serve + "-" + from + "-" + to, serve})
	return nil
}

// secured reports whether a service of the plan speaks TLS.
func (g *Graph) secured(name string) bool {
	s, ok := g.service(name)
	return ok && s.HTTPS
}

// passesTLS reports whether the thing on an edge, by its name, passes TLS on.
func (g *Graph) passesTLS(via string) bool {
	return slices.ContainsFunc(g.edges, func(e Edge) bool { return e.Via == via && g.secured(e.To) })
}

// Names are the names by which a service is called: its own, and those of what is put before it.
func (g *Graph) Names(service string) []string {
	names := []string{service}
	for _, e := range g.edges {
		if e.To == service {
			names = append(names, e.Via)
		}
	}
	return names
}

// via is the name of what was put on a fault's edge.
func (g *Graph) via(f scenario.Fault, serve string) (string, error) {
	for _, e := range g.edges {
		if e.From == f.From && e.To == f.To && e.serve == serve {
			return e.Via, nil
		}
	}
	return "", fmt.Errorf("no %s was put on %s: %w", serve, edgeName(f.From, f.To), ErrCannot)
}

// Proxies are the proxies and caches as services, which everybody needs who goes
// through one. address is as in Adapt.
func (g *Graph) Proxies(address func(service string) string) ([]world.Spec, error) {
	var specs []world.Spec
	for _, e := range g.edges {
		spec := world.Spec{Name: e.Via, Serve: e.serve}
		switch e.serve {
		case byProxy:
			to := contract.HostPortOf(e.To)
			if there := address(e.To); there != "" {
				u, err := url.Parse(there)
				if err != nil || u.Scheme != "http" || u.Port() == "" {
					return nil, fmt.Errorf("disturb %s: %s is at %s, and what is put before it speaks HTTP to a host and a port: %w", e, e.To, there, ErrCannot)
				}
				to = u.Host
			}
			spec.Health = contract.ProxyPath + "healthz"
			spec.Config = &contract.Proxy{Name: e.Via, To: to, Token: g.token}
		case byCache:
			spec.Config = &contract.Cache{Name: e.Via, Of: contract.AddressOf(e.To), Orders: contract.Orders{Disturb: g.token}}
		}
		specs = append(specs, spec)
	}
	return specs, nil
}

// Adapt changes the settings of a service before its start: users of a prepared edge get the address of
// what is on it, and disturbable stand-ins get the token. address is as services see it, for settings
// that are filled in already.
func (g *Graph) Adapt(spec *world.Spec, address func(service string) string) error {
	for _, e := range g.edges {
		if e.From != spec.Name {
			continue
		}
		r := redirect{to: e.To, via: e.Via, secured: g.secured(e.To), filled: address(e.To)}
		var err error
		if spec.Config, err = contract.Rewrite(spec.Config, r.setting); err != nil {
			return fmt.Errorf("disturb %s: %w", e, err)
		}
		spec.Environment = maps.Clone(spec.Environment)
		for name, value := range spec.Environment {
			if !isIdentity(name) {
				spec.Environment[name] = r.text(value)
			}
		}
		*spec = spec.WithCommands(r.text)
		spec.Files = maps.Clone(spec.Files)
		for path, content := range spec.Files {
			spec.Files[path] = r.text(content)
		}
		if r.plain {
			return fmt.Errorf("disturb %s: %s speaks TLS, and a setting of %s writes its url with a function, which what is put before it cannot be given: %w", e, e.To, e.From, ErrCannot)
		}
		if !r.found {
			return fmt.Errorf("disturb %s: no setting of %s has the address of %s", e, e.From, e.To)
		}
		spec.Needs = append(slices.Clone(spec.Needs), e.Via)
	}
	if g.open[spec.Name] {
		spec.Config = contract.Copy(spec.Config)
		orders := contract.OrdersTo(spec.Config)
		if orders == nil {
			return fmt.Errorf("disturb %s: it follows no orders: %w", spec.Name, ErrCannot)
		}
		orders.Disturb = g.token
	}
	return nil
}

// redirect replaces one service's address by another's.
type redirect struct {
	to, via, filled string
	secured         bool // it speaks TLS through what is put before it
	found           bool
	plain           bool // a URL of what is put before it stayed one without TLS
}

// setting is a setting with the address replaced, unless it only names a party.
func (r *redirect) setting(name, _, text string) (string, error) {
	if isIdentity(name) {
		return text, nil
	}
	return r.text(text), nil
}

func (r *redirect) text(setting string) string {
	out := contract.Rename(setting, func(w contract.Word) contract.Word {
		if name, part := w.Of(); name == r.to && (part == "url" || part == "host" || part == "port") {
			return contract.Word(r.via + "." + part)
		}
		return w
	})
	if r.secured { // what is put before it speaks HTTP itself, and says so of its own URL
		out = strings.ReplaceAll(out, "{{ ."+r.via+".url }}", "https://{{ ."+r.via+".host }}:{{ ."+r.via+".port }}")
		r.plain = r.plain || strings.Contains(out, "."+r.via+".url")
	}
	if r.filled != "" {
		out = strings.ReplaceAll(out, r.filled, "{{ ."+r.via+".url }}")
	}
	r.found = r.found || out != setting
	return out
}

// isIdentity reports whether a setting names a party by its address instead of calling it: an iss claim
// is compared, not called.
func isIdentity(setting string) bool { return strings.Contains(strings.ToLower(setting), "issuer") }
