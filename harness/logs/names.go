package logs

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/family"
	"github.com/rehearse-dev/rehearse/harness/fault"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// Names maps what parties call things on the wire to the names of the history. It is safe for
// concurrent use.
type Names struct {
	services []string
	agents   map[string]string // how services of a team's own begin their User-Agent
	own      map[string]bool   // those services
	unnamed  map[string]bool   // external services without an agent in the scenario
	replicas map[string][]string
	whole    map[string]string // the service that a replica belongs to
	reaches  func(from, to string) bool
	sole     func(of string) string // the one service of a team's own that reaches another
	emits    func(name string) bool // whether a service presents a credential of its own

	mu          sync.RWMutex
	edges       []fault.Edge      // ways with a proxy or cache on them, which counts as the service behind it
	credentials map[string]string // by identifier
	url         func(service string) string
	at          func(ip string) (service string) // "" where none is there
	replicaAt   func(ip string) (started string) // as at, of replicas by their own names
	located     bool                             // addresses tell who somebody is
	holds       map[string][]string              // what external services, or their replicas, fetched last
}

// NewNames knows the services of a plan, and no address yet.
func NewNames(p *plan.Plan) *Names {
	n := &Names{
		agents: map[string]string{}, own: map[string]bool{}, unnamed: map[string]bool{}, credentials: map[string]string{}, holds: map[string][]string{},
		replicas: map[string][]string{}, whole: map[string]string{},
		url: func(string) string { return "" }, at: func(string) string { return "" }, replicaAt: func(string) string { return "" },
		reaches: p.Reaches, sole: p.SoleClient,
		emits: func(name string) bool {
			_, emits := p.Limits.Emitter(name)
			return emits
		},
	}
	for _, s := range p.Services {
		n.services = append(n.services, s.Name)
		if n.replicas[s.Name] = p.ReplicasOf(s.Name); p.Rehearsal.Attach != nil {
			n.replicas[s.Name] = nil
		}
		for _, replica := range n.replicas[s.Name] {
			n.whole[replica] = s.Name
		}
		if n.own[s.Name] = s.External() && p.Rehearsal.Attach == nil; s.Agent != "" {
			n.agents[s.Agent] = s.Name
		} else if n.own[s.Name] {
			n.agents[s.Name+"/"] = s.Name // as most say who they are
			n.unnamed[s.Name] = true
		}
	}
	return n
}

// Whole is the service that a started replica belongs to, or the name itself.
func (n *Names) Whole(started string) string {
	if service, ok := n.whole[started]; ok {
		return service
	}
	return started
}

// Replica is the replica's part of a started name; "" where it is none.
func (n *Names) Replica(started string) string {
	if _, ok := n.whole[started]; ok {
		return started
	}
	return ""
}

// Shards names the started parts of a service, before they start.
func (n *Names) Shards(service string, started []string) {
	for _, name := range started {
		n.whole[name] = service
	}
}

// Locate sets how to find the address of a service, and the service at an address; at is nil where
// addresses do not tell. A stand-in that was called by a process of this machine says whose that is.
func (n *Names) Locate(url func(service string) string, at func(ip string) string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.url, n.located = url, at != nil
	n.replicaAt = func(origin string) string {
		if service, ok := contract.CallerIn(origin); ok {
			return service
		} else if at != nil {
			return at(origin)
		}
		return ""
	}
	n.at = func(origin string) string { return n.Whole(n.replicaAt(origin)) }
}

// Through sets the edges with something on them for faults: its requests count as those of the service
// before it, its answers as those of the one behind.
func (n *Names) Through(edges []fault.Edge) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.edges = edges
}

// AddCredential says by which identifier a credential is known.
func (n *Names) AddCredential(identifier, name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.credentials[identifier] = name
}

// Credential is the name of a credential by its identifier, or the identifier where the run did not
// make it.
func (n *Names) Credential(identifier string) string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if name, known := n.credentials[identifier]; known {
		return name
	}
	return identifier
}

// All is Credential for each of a set.
func (n *Names) All(identifiers []string) []string {
	named := make([]string, len(identifiers))
	for i, identifier := range identifiers {
		named[i] = n.Credential(identifier)
	}
	return named
}

// service is the service at a host and port; other text, such as a cache's own name, stays as it is.
func (n *Names) service(host string) string {
	n.mu.RLock()
	url, edges := n.url, n.edges
	n.mu.RUnlock()
	for _, name := range n.services {
		if host != "" && hostOf(url(name)) == host {
			return name
		}
	}
	for _, e := range edges {
		if host != "" && hostOf(url(e.Via)) == host {
			return e.To
		}
	}
	return host
}

// hostOf is the host and port of a service's URL.
func hostOf(url string) string {
	_, host, _ := strings.Cut(url, "://")
	return host
}

// agents are how stand-ins begin their User-Agent; their name follows.
var agents = []string{"rehearse-verifier/", "rehearse-ready/", "rehearse-cache/"}

// reader is the service behind a User-Agent and an origin (an IP address, or as contract.Caller has it), or the
// agent itself where there is none; false for the harness.
func (n *Names) reader(agent, origin string) (name string, ok bool) {
	for _, prefix := range agents {
		if name, found := strings.CutPrefix(agent, prefix); found {
			return name, true
		}
	}
	for prefix, name := range n.agents {
		if strings.HasPrefix(agent, prefix) {
			return name, true
		}
	}
	n.mu.RLock()
	at, edges := n.at, n.edges
	n.mu.RUnlock()
	if name := at(origin); name != "" {
		for _, e := range edges {
			if e.Via == name {
				return e.From, true
			}
		}
		if _, called := contract.CallerIn(origin); !called || n.own[name] { // a stand-in is what its agent says
			return name, true
		}
	}
	return agent, !isProbe(agent)
}

// nameless is the reader under an agent that says nothing: the only external service that is set up to
// reach the other. Where several fit it is "", which the plan says before the start.
func (n *Names) nameless(reader, of string) string {
	n.mu.RLock()
	located := n.located
	n.mu.RUnlock()
	if located || slices.Contains(n.services, reader) {
		return reader
	}
	var reaching []string
	for name := range n.unnamed {
		if n.reaches(name, of) {
			reaching = append(reaching, name)
		}
	}
	switch len(reaching) {
	case 0:
		return reader // nobody of this run, as far as it is known
	case 1:
		return reaching[0]
	}
	return ""
}

// presenter is the service that presented something to a validator: by the name that it gave, its
// agent, its address, or because nobody else could have. A pooler presents a credential of its own
// under its clients' names or none; a gateway hands on what its clients present.
func (n *Names) presenter(l history.Line, validator string) string {
	if isProbe(l.Presenter) {
		return l.Presenter
	}
	name := l.Presenter
	if !slices.Contains(n.services, name) {
		name, _ = n.reader(l.Presenter, l.Remote)
	}
	if slices.Contains(n.services, name) && n.reaches(name, validator) {
		return name
	}
	sole := n.sole(validator)
	if handsOn := !n.emits(sole); sole == "" || handsOn && slices.Contains(n.services, name) && (n.reaches(name, sole) || n.emits(name)) {
		return name // of a system that runs already nobody knows whom it reaches
	}
	return sole
}

// credential is the name of the credential that a line is about. The login with which it was presented
// tells more than the presenter's name for it.
func (n *Names) credential(l history.Line) string {
	n.mu.RLock()
	name, known := n.credentials[l.User]
	n.mu.RUnlock()
	if known && l.User != "" {
		return name
	}
	return n.Credential(l.Identifier)
}

// isProbe tells the harness's own requests from others.
func isProbe(presenter string) bool {
	return presenter == family.ProbeAgent || strings.HasPrefix(presenter, family.ProbeAgent+"/")
}

// event is a line of a service's log as an event of the history; false for
// lines that are none.
func (n *Names) event(service string, l history.Line, at history.Offset) (history.Event, bool) {
	e := history.Event{At: at, Kind: history.Kind(l.Message), Service: service, Detail: l.Detail}
	switch e.Kind {
	case history.KindService:
		if l.Presenter != "" {
			e.Detail = l.Presenter + ": " + l.Detail
		}
	case history.KindFetched:
		e.Credentials, e.Holds, e.From = n.All(l.Identifiers), n.All(l.Holds), n.service(l.From)
	case history.KindFetchFailed:
		e.From = n.service(l.From)
	case history.KindLearned, history.KindForgot, history.KindEmitting:
		e.Credential, e.Identifier, e.Replica = n.Credential(l.Identifier), l.Identifier, l.Pod
	case history.KindPod:
		if l.Pod == "" || len(l.Identifiers) == 0 { // a file of this machine
			return history.Event{}, false
		}
		e.Replica, e.What, e.Identifier = l.Pod, l.What, l.Identifiers[0]
		e.Credential = n.Credential(e.Identifier)
	case history.KindLoaded:
		e.Credential, e.Identifier, e.Credentials, e.Replica = n.Credential(l.Identifier), l.Identifier, n.All(l.Identifiers), l.Pod
	case history.KindEnded, history.KindDenied, history.KindLived:
		e.Credential, e.Identifier, e.Reader, e.What = n.credential(l), l.Identifier, n.presenter(l, service), l.What
		if e.Kind == history.KindLived {
			e.Began = at - history.Offset(time.Duration(l.Latency)*time.Microsecond)
		}
		if isProbe(l.Presenter) {
			return history.Event{}, false
		}
	case history.KindLocked:
		e.Credential, e.Identifier, e.Reader, e.Count = n.credential(l), l.Identifier, n.presenter(l, service), l.Count
		e.What = l.What
		if l.Presenter == service {
			e.Reader = service // its own doing
		}
		if isProbe(l.Presenter) {
			e.Reader = ""
		}
	case history.KindUnlocked:
	case history.KindPublished:
		e.Credentials = n.All(l.Identifiers)
	case history.KindRead:
		name, ok := n.reader(l.Reader, l.Remote)
		if !ok {
			return history.Event{}, false
		}
		if e.Reader, e.What = n.nameless(name, service), l.What; e.Reader == "" {
			return history.Event{}, false
		}
	default:
		return history.Event{}, false
	}
	return e, true
}

// fetched are the events of an external service's read of a key set, as its issuer logged it: the
// service logs nothing itself, and is taken to keep what it fetched. Nothing for other services, whose
// own logs tell. A replicated service has learned what all replicas have, and forgotten what none has;
// where addresses do not tell the replicas apart, nobody knows.
func (n *Names) fetched(read history.Event, issuer string, l history.Line) []history.Event {
	if !n.own[read.Reader] || l.Identifiers == nil {
		return nil
	}
	set := n.All(l.Identifiers)
	n.mu.Lock()
	fetcher := read.Reader
	if n.replicas[read.Reader] != nil {
		fetcher = n.replicaAt(l.Remote) // "": one of them
	}
	hadByAll, hadBySome := n.held(read.Reader)
	n.holds[fetcher] = set
	all, some := n.held(read.Reader)
	n.mu.Unlock()
	events := []history.Event{{
		At: read.At, Kind: history.KindFetched, Service: read.Reader, Replica: n.Replica(fetcher), Credentials: set, Holds: set, From: issuer,
	}}
	changed := func(kind history.Kind, of, against []string) {
		for _, credential := range of {
			if !slices.Contains(against, credential) {
				events = append(events, history.Event{At: read.At, Kind: kind, Service: read.Reader, Credential: credential, What: history.OfFetch})
			}
		}
	}
	changed(history.KindLearned, all, hadByAll)
	changed(history.KindForgot, hadBySome, some)
	return events
}

// held is what all replicas of a service have fetched, and what some have. n.mu is held.
func (n *Names) held(service string) (all, some []string) {
	replicas := n.replicas[service]
	if replicas == nil {
		return n.holds[service], n.holds[service]
	}
	for i, replica := range replicas {
		set := n.holds[replica]
		for _, credential := range set {
			if !slices.Contains(some, credential) {
				some = append(some, credential)
			}
		}
		if i == 0 {
			all = slices.Clone(set)
		}
		all = slices.DeleteFunc(all, func(credential string) bool { return !slices.Contains(set, credential) })
	}
	return all, some
}
