package fault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// orderTimeout bounds one order to a stand-in.
const orderTimeout = 5 * time.Second

// toxic is a toxic of toxiproxy v2, as its API takes it.
type toxic struct {
	Name       string         `json:"name"`
	Type       string         `json:"type"`
	Stream     string         `json:"stream"` // upstream, downstream
	Attributes map[string]any `json:"attributes"`
}

// onEdge prepares a fault of connections.
func onEdge(f scenario.Fault, g *Graph) error { return g.between(f, byProxy) }

// between prepares a fault on an edge with what is put there.
func (g *Graph) between(f scenario.Fault, serve string) error {
	if f.From == f.To {
		return fmt.Errorf("%s has no edge to itself", f.From)
	}
	if g.plan.Rehearsal.Attach != nil {
		return fmt.Errorf("the run is attached to services that are there, and puts no %s between them: %w", serve, ErrCannot)
	}
	return g.edge(f.From, f.To, serve)
}

// proxied disturbs an edge by toxics on its proxy.
type proxied struct {
	untilEnd
	site   *site
	via    string
	toxics []toxic
}

// newProxied binds toxics to the proxy on a fault's edge: to one direction, or to both if set.
func newProxied(f scenario.Fault, s *site, kind, toxiproxy string, attributes map[string]any, both bool) (proxied, error) {
	via, err := s.Graph.via(f, byProxy)
	p := proxied{site: s, via: via}
	if err != nil {
		return p, err
	}
	p.toxics = append(p.toxics, toxic{kind, toxiproxy, "downstream", attributes})
	if both {
		p.toxics = append(p.toxics, toxic{kind + "-up", toxiproxy, "upstream", attributes})
	}
	return p, nil
}

// Inject adds the toxics.
func (p proxied) Inject(ctx context.Context) error {
	for _, t := range p.toxics {
		if err := p.call(ctx, http.MethodPost, "", t, http.StatusOK); err != nil {
			return err
		}
	}
	return nil
}

// Undo removes them; a missing one counts as removed.
func (p proxied) Undo(ctx context.Context) error {
	var errs []error
	for _, t := range p.toxics {
		errs = append(errs, p.call(ctx, http.MethodDelete, "/"+t.Name, nil, http.StatusNoContent, http.StatusNotFound))
	}
	return errors.Join(errs...)
}

func (p proxied) call(ctx context.Context, method, below string, body any, want ...int) error {
	return p.site.order(ctx, method, p.via, contract.ProxyPath+"proxies/"+contract.ProxyName+"/toxics"+below, body, want...)
}

// orders are sent without a proxy of the environment or redirects, to the stand-in only.
var orders = &http.Client{
	Timeout:       orderTimeout,
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// order tells a stand-in to disturb or be disturbed. The error quotes its answer and never the token.
func (s *site) order(ctx context.Context, method, service, path string, body any, want ...int) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("order %s: %w", service, err)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.Runtime.URL(service, false)+path, bytes.NewReader(encoded))
	if err != nil {
		return fmt.Errorf("order %s: %w", service, err)
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	req.Header.Set("User-Agent", "rehearse-fault")
	resp, err := orders.Do(req)
	if err != nil {
		return fmt.Errorf("order %s: %w", service, err)
	}
	defer resp.Body.Close()
	for _, status := range want {
		if resp.StatusCode == status {
			return nil
		}
	}
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, 200)) // what there is of it explains the status
	return fmt.Errorf("order %s: answered %s: %s", service, resp.Status, bytes.TrimSpace(answer))
}

// delayed is the gauge of a slower edge.
type delayed struct {
	site *site
	via  string
	most time.Duration // that the fault may add
	adds time.Duration // that it adds at least
}

var _ Gauge = delayed{}

// fastest is the shortest time for an answer, in milliseconds.
const fastest = "fastest_ms"

// Measure asks over the edge a few times, and takes the time.
func (d delayed) Measure(ctx context.Context, span time.Duration) Reading {
	m := d.site.ask.measureWithin(ctx, d.via, span, askWithin+d.most)
	r := Reading{asked: float64(m.asked), answered: float64(m.answered)}
	if m.answered > 0 {
		r[fastest] = float64(m.fastest.Microseconds()) / 1000
	}
	return r
}

// Took reports whether even the fastest answer had all of the delay.
func (d delayed) Took(before, during Reading) bool {
	return before.all() && during[answered] > 0 && d.slower(before, during)
}

// Back reports whether an answer came without it.
func (d delayed) Back(before, after Reading) bool {
	return after[answered] > 0 && !d.slower(before, after)
}

// slower reports whether the fastest answer contains the delay: it takes that long, and most of it is
// new. A busy machine may have delayed the earlier answers too.
func (d delayed) slower(before, now Reading) bool {
	adds := float64(d.adds.Milliseconds())
	return now[fastest] >= adds && now[fastest]-before[fastest] >= adds*2/3
}
