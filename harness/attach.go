package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/attached"
	"github.com/rehearse-dev/rehearse/harness/attached/cluster"
	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/rotation"
	"github.com/rehearse-dev/rehearse/harness/runtime/docker"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/runtime/process"
	"github.com/rehearse-dev/rehearse/harness/world"
)

const (
	// readyWithin bounds how long a system that runs may take to answer.
	readyWithin = time.Minute
	// tellingLines is how many lines of a log are read to see what form it has.
	tellingLines = 200
	// stepsLog is the name of the log with what the commands of steps print.
	stepsLog = "steps"
)

// attachment is the running system that a rehearsal is attached to.
type attachment struct {
	project   *docker.Project  // nil: it is no compose project
	cluster   *cluster.Cluster // nil: it is in none
	endpoints []world.Endpoint
	system    *attached.System
	before    map[string]int64  // counters, at the start
	counters  []history.Counter // what was counted since, at the end
}

// survey looks at the system that a plan is attached to, and changes nothing. It returns the plan
// completed with the sources of its evidence.
func survey(ctx context.Context, p *plan.Plan) (*plan.Plan, *attachment, error) {
	a, found := p.Rehearsal.Attach, &attachment{}
	for _, name := range slices.Sorted(maps.Keys(a.URLs)) {
		found.endpoints = append(found.endpoints, world.Endpoint{Service: name, URL: strings.TrimSuffix(a.URLs[name], "/"), Is: "an address"})
	}
	if a.Compose != "" {
		var err error
		if found.project, err = docker.OpenProject(ctx, a.Compose); err != nil {
			return nil, nil, err
		}
		for _, s := range p.Services {
			e, err := endpointOf(ctx, found.project, s)
			if err != nil {
				return nil, nil, errors.Join(err, found.project.Close())
			}
			found.endpoints = append(found.endpoints, e)
		}
	}
	if a.Kubernetes != nil {
		var err error
		if found.cluster, found.endpoints, err = cluster.Open(ctx, p); err != nil {
			return nil, nil, err
		}
	}
	completed := *p
	attached.Evidence(&completed, found.endpoints)
	return &completed, found, nil
}

// endpointOf finds a service in a compose project.
func endpointOf(ctx context.Context, project *docker.Project, s plan.Service) (world.Endpoint, error) {
	fail := func(format string, args ...any) (world.Endpoint, error) {
		return world.Endpoint{}, fmt.Errorf("attach to %s of the compose project %s: %s", s.Name, project.Name, fmt.Sprintf(format, args...))
	}
	members := project.Members(s.Name)
	if len(members) == 0 {
		return fail("it does not run; these do: %s", strings.Join(project.Services(), ", "))
	}
	m := members[0]
	port := 0
	switch {
	case len(s.Ports) > 0:
		port = s.Ports[0]
	case len(m.Exposed) == 1:
		port = m.Exposed[0]
	default:
		return fail("say its port, as services: {%s: {ports: [8080]}}: it has %v", s.Name, m.Exposed)
	}
	e := world.Endpoint{Service: s.Name, Inside: fmt.Sprintf("http://%s:%d", s.Name, port), Logged: true, Is: "container " + m.Name + " of " + m.Image}
	switch address, published := m.Published[port]; {
	case published:
		e.URL = "http://" + address
	case m.Address != "":
		e.URL = fmt.Sprintf("http://%s:%d", m.Address, port)
	default:
		return fail("port %d is not published, and its container has no address", port)
	}
	if more := len(members) - 1; more > 0 {
		e.Is += fmt.Sprintf(", the first of %d", more+1)
	}
	lines, err := project.Recent(ctx, m.ID, tellingLines)
	if err != nil {
		return fail("%v", err)
	}
	e.Tells = slices.ContainsFunc(lines, func(line []byte) bool {
		parsed, ok := history.ParseLine(line)
		return ok && parsed.Service == s.Name
	})
	return e, nil
}

// DryRun looks at the system that a plan is attached to and writes every step that a run would take,
// without taking any.
func DryRun(ctx context.Context, w io.Writer, p *plan.Plan) error {
	completed, found, err := survey(ctx, p)
	if err != nil {
		return err
	}
	if found.cluster != nil {
		for _, stays := range found.cluster.Stays() {
			if _, err := fmt.Fprintln(w, "it will not come: "+stays); err != nil {
				return errors.Join(err, found.close())
			}
		}
	}
	_, err = attached.New(completed, found.endpoints, attached.Options{Cluster: found.cluster})
	return errors.Join(attached.Describe(w, completed, found.endpoints), err, found.close())
}

// announce says what a run is attached to, and where its evidence will come from.
func (a *attachment) announce(p *plan.Plan, say func(string)) {
	for _, e := range a.endpoints {
		say(fmt.Sprintf("attached to %s at %s: %s", e.Service, e.URL, e.Is))
	}
	if a.cluster != nil {
		for _, stays := range a.cluster.Stays() {
			say("it will not come: " + stays)
		}
	}
	for _, e := range p.Limits.RuleSources {
		if e.None {
			say(fmt.Sprintf("no evidence for %s, which will be inconclusive: %s", e.Rule, e.From))
		} else {
			say(fmt.Sprintf("evidence for %s: %s", e.Rule, e.From))
		}
	}
}

func (a *attachment) close() error {
	var err error
	if a.project != nil {
		err = a.project.Close()
	}
	if a.cluster != nil {
		err = errors.Join(err, a.cluster.Close())
	}
	return err
}

// attach binds a run to a system that runs already: its logs are followed, the
// emitter is watched, and only the load is started.
func (r *run) attach(ctx context.Context) error {
	own := process.New(r.executable(), r.launchOptions())
	r.runtime = attached.NewRuntime(own, r.attachment.endpoints)
	r.outcome.Runtime, r.outcome.Store = r.runtime.Name(), "the team's own"
	r.cleanUp("stop the load", r.runtime.Stop)
	r.names.Locate(func(service string) string { return r.runtime.URL(service, true) }, nil)
	if err := r.prepareDelivery(); err != nil {
		return err
	}
	system, err := attached.New(r.plan, r.attachment.endpoints, attached.Options{
		Dir: filepath.Dir(r.plan.File), Cluster: r.attachment.cluster, Log: func(line string) { r.logs.Line(stepsLog, []byte(line)) },
	})
	if err != nil {
		return err
	}
	r.attachment.system, r.bound, r.steps = system, system, system
	if err := r.awaitReady(ctx); err != nil {
		return err
	}
	if r.attachment.before, err = system.Count(ctx); err != nil {
		return err
	}
	if err := r.watchSystem(ctx); err != nil {
		return err
	}
	specs, err := r.loadSpecs()
	if err != nil {
		return err
	}
	for i := range specs {
		if err := addressed(&specs[i], r.attachment.endpoints); err != nil {
			return err
		}
		specs[i].Control = r.graph.Token()
	}
	return r.startServices(ctx, specs)
}

// awaitReady waits until every service answers, and says what each is.
func (r *run) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for _, s := range r.plan.Services {
		for _, e := range r.attachment.endpoints {
			if e.Service != s.Name {
				continue
			}
			if err := ready(ctx, e.URL, s.Healthcheck); err != nil {
				return fmt.Errorf("wait for %s: %w", s.Name, err)
			}
			r.evidence.Record(history.Event{At: r.evidence.Offset(), Kind: history.KindService, Service: s.Name, Detail: e.Is})
		}
	}
	return nil
}

// ready waits until a service answers: by HTTP or, at an address tcp://, at all.
func ready(ctx context.Context, url, path string) error {
	host, plain := strings.CutPrefix(url, "tcp://")
	if !plain {
		return launch.Ready(ctx, url, path, nil)
	}
	const again = 100 * time.Millisecond
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(again):
		}
	}
}

// addressed fills in the addresses of a system's services in the settings of the load, which waits for
// none of them: they run already.
func addressed(spec *world.Spec, endpoints []world.Endpoint) error {
	var err error
	for _, e := range endpoints {
		spec.Needs = slices.DeleteFunc(spec.Needs, func(name string) bool { return name == e.Service })
	}
	spec.Config, err = contract.Rewrite(spec.Config, func(_, _, text string) (string, error) {
		for _, e := range endpoints {
			text = strings.ReplaceAll(text, contract.AddressOf(e.Service), e.URL)
		}
		return text, nil
	})
	if err != nil {
		return fmt.Errorf("configure load: %w", err)
	}
	return nil
}

// recordLeft records and prints which steps are left to be taken by hand where the steps are a team's
// own: an interrupted rotation stays as it is, since the run cannot know when it may be taken back, and
// a way back may have failed.
func (r *run) recordLeft() {
	if r.attachment == nil || r.attachment.system == nil || r.outcome.Ended == "" || r.outcome.Ended == history.EndedComplete {
		return
	}
	var left []history.Event
	r.evidence.See(func(v *history.View) {
		for _, step := range []struct{ did, of, back, to string }{
			{"revoke", rotation.Old, "restore", rotation.Old},
			{"emit", rotation.New, "emit", rotation.Old},
			{"accept", rotation.New, "withdraw", rotation.New},
		} {
			did, tried := v.Tried[step.did][step.of]
			if r.plan.Limits.Rotator() { // a step of the rotator that was not seen counts as not taken
				did, tried = v.Steps[step.did][step.of]
			}
			undid, undone := v.Steps[step.back][step.to]
			if tried && !(undone && undid > did) {
				left = append(left, history.Event{Kind: history.KindLeft, Step: step.back, Credential: step.to})
			}
		}
	})
	var said []string
	for _, e := range left {
		e.At = r.evidence.Offset()
		e.Identifier = r.attachment.system.Identifier(e.Credential)
		e.Detail = r.attachment.system.Does(e.Step, e.Credential)
		r.evidence.Record(e)
		said = append(said, fmt.Sprintf("%s %s (%s): %s", e.Step, e.Credential, e.Identifier, e.Detail))
	}
	if len(said) > 0 {
		r.o.Progress("the rotation is left as it was; still to be taken back, in this order: " + strings.Join(said, ", then "))
	}
}

// executable is the rehearse binary that stand-ins are run from: that of the options, else this
// process's own.
func (r *run) executable() string {
	if r.o.Executable != "" {
		return r.o.Executable
	}
	executable, err := os.Executable()
	if err != nil {
		return os.Args[0] // starting it then fails and says why
	}
	return executable
}
