package harness

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/fault"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/observe"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// watchParties begins to look from outside at parties without logs of ours: at the key set at every
// step of a way that an external service has a part in, and at the tokens of an external issuer.
func (r *run) watchParties(ctx context.Context) {
	w := observe.Watch{Places: r.places(), Issuers: r.issuers(), Record: r.observed}
	if len(w.Places)+len(w.Issuers) == 0 {
		return
	}
	r.lookLast = w.LookLast
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var watching sync.WaitGroup
	watching.Go(func() { w.Run(ctx) })
	r.cleanUp("stop looking at what is published", func(context.Context) error {
		cancel()
		watching.Wait()
		return nil
	})
}

// observed records an observation under the names of the history.
func (r *run) observed(e history.Event) {
	e.At, e.Credentials = e.At+r.evidence.Offset(), r.names.All(e.Credentials) // so long ago, or now
	if e.Began > 0 {                                                           // so long ago
		e.Began = e.At - e.Began
	}
	if e.Identifier != "" {
		e.Credential = r.names.Credential(e.Identifier)
	}
	if e.Set != nil {
		set := *e.Set
		set.Keys = slices.Clone(set.Keys) // the next look is compared with the original
		for i, key := range set.Keys {
			id := cmp.Or(key.Kid, key.Thumbprint)
			if name := r.names.Credential(id); name != id {
				set.Keys[i].Credential = name
			}
		}
		e.Set, e.Credentials = &set, set.Credentials()
	}
	if len(e.Credentials) == 0 {
		e.Credentials = nil
	}
	r.evidence.Record(e)
}

// places are where key sets are looked at; none where every party has a log of ours. Where a fault's
// proxy stands on the way of an external service, the set is looked at through it too, as the service
// gets it.
func (r *run) places() []observe.Place {
	if r.plan.Runbook.Storage.Distribution != runbook.JWKS {
		return nil
	}
	var names []string
	for _, s := range r.plan.Services {
		of := r.plan.KeySetsOf(s.Name)
		for _, from := range of {
			if s.External() || !r.serves(from) {
				names = append(names, from)
			}
		}
	}
	for _, e := range r.plan.Limits.Emitters {
		if !r.serves(e.Name) {
			names = append(names, e.Name)
		}
	}
	if len(names) > 0 { // and where they have it from
		for _, s := range r.plan.Services {
			if s.Serve == "issuer" {
				names = append(names, s.Name)
			}
		}
	}
	slices.Sort(names)
	gateways := r.plan.Gateways()
	var places []observe.Place
	for _, name := range slices.Compact(names) {
		if kind := r.kindOf(name); kind == "cache" || kind == "relay" {
			continue // a look would fill a cache; of a relay the issuer is looked at
		}
		place := observe.Place{Service: name, URL: r.keySetURL(name), Tells: !r.serves(name)}
		if slices.ContainsFunc(gateways, func(g plan.Gateway) bool { return g.Name == name }) {
			place.Rests = restsAt(name, r.evidence.See)
		}
		places = append(places, place)
	}
	for _, edge := range r.graph.Edges() {
		if !r.serves(edge.From) && slices.Contains(r.plan.KeySetsOf(edge.From), edge.To) && r.slowed(edge) {
			places = append(places, observe.Place{Service: edge.To, Reader: edge.From, URL: r.keySetURL(edge.Via)})
		}
	}
	return places
}

// restsAt says, once for each look that is due, whether a gateway must not be looked at. A gateway that
// caches would be kept fresh by looks, and its validators would learn sooner than without them: it is
// left alone from the accept until the new credential is in use, and from the revoke on until its
// proof is over, unless each look was seen to go through to an issuer.
func restsAt(gateway string, see func(func(*history.View))) func() bool {
	looks := int64(0)
	return func() (rests bool) {
		see(func(v *history.View) {
			through := 10*v.Fetches[gateway] >= 9*looks // the last look may not be logged yet
			rests = !through && slices.Contains([]history.Phase{history.Accept, history.Verify, history.Emit, history.Revoke, history.Watch}, v.Phase)
		})
		if !rests {
			looks++
		}
		return rests
	}
}

// slowing are the faults through whose proxy a look is harmless: others count requests.
var slowing = []string{"latency", "partition", "slow"}

// slowed reports whether an edge has a proxy for such faults only.
func (r *run) slowed(edge fault.Edge) bool {
	slowed := false
	for _, f := range r.plan.Rehearsal.Faults {
		if f.From == edge.From && f.To == edge.To {
			if !slices.Contains(slowing, f.Kind) {
				return false
			}
			slowed = true
		}
	}
	return slowed
}

// keySetURL is where the key set of a service is, as the harness reaches it.
func (r *run) keySetURL(service string) func() string {
	return func() string {
		return strings.TrimSuffix(r.runtime.URL(service, false), "/") + r.plan.Runbook.Storage.JWKS
	}
}

// kindOf is the kind of stand-in that a service is; "" for a team's own.
func (r *run) kindOf(service string) string {
	for _, s := range r.plan.Services {
		if s.Name == service {
			return s.Serve
		}
	}
	return ""
}

// issuers are the external issuers of clients' tokens. Each is asked as its first client asks it.
func (r *run) issuers() []observe.Issuer {
	var issuers []observe.Issuer
	asked := map[string]bool{}
	for _, c := range r.plan.Rehearsal.Load {
		t := c.Token
		if t == nil || t.File != "" || t.From == "" || asked[t.From] || r.serves(t.From) {
			continue
		}
		asked[t.From] = true
		call := r.tokenCall(t)
		issuers = append(issuers, observe.Issuer{Service: r.plan.SignerOf(t.From), Set: r.signedBy(t.From), Token: func(ctx context.Context) (string, error) {
			return observe.Token(ctx, r.runtime.URL(t.From, false), call)
		}})
	}
	return issuers
}

// signedBy is the address of the key set with which a service's tokens are signed, in families that
// have one.
func (r *run) signedBy(service string) func() string {
	if r.plan.Runbook.Storage.JWKS == "" {
		return nil
	}
	return r.keySetURL(r.plan.SignerOf(service))
}

// tokenCall is how the harness asks for a token of a client's.
func (r *run) tokenCall(t *scenario.Token) contract.TokenCall {
	return r.filled(t.TokenCall).Or(map[string]string{"client": observe.Agent, "session": "observe", "life": observe.Timeout.String()})
}

// tokenOf asks for a token as a client does.
func (r *run) tokenOf() func(ctx context.Context, client string) (string, error) {
	calls := map[string]contract.TokenCall{} // filling them in is not safe for concurrent use
	from := map[string]string{}
	for _, c := range r.plan.Rehearsal.Load {
		if c.Token != nil {
			calls[c.Client], from[c.Client] = r.tokenCall(c.Token), c.Token.From
		}
	}
	return func(ctx context.Context, client string) (string, error) {
		return observe.Token(ctx, r.runtime.URL(from[client], false), calls[client])
	}
}
