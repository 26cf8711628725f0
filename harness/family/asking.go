package family

import (
	"context"
	"net/http"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/protocol"
	"github.com/rehearse-dev/rehearse/harness/refusal"
)

// tokenRequest is the request that asks a service whether it takes a token: an external one is
// asked as its clients ask it. The zero value is the request that stand-ins understand.
type tokenRequest struct {
	method, path, body string
	headers            map[string]string
	header             string // that presents the token, as contract.Present takes it
	issuer, audience   string // of the token; empty: the usual ones
	further            map[string]any
	like               string // the client whose own tokens, of a team's issuer, it is to look like; empty: none has
	speaks             protocol.Protocol
	signs              *refusal.Reader
}

// askings are the requests for the services of a plan, by the first client that calls each. A service
// that no client calls, behind one that hands on to it, is shown tokens like those of the front's
// clients: it may refuse others for their audience.
func askings(p *plan.Plan) map[string]tokenRequest {
	asks := map[string]tokenRequest{}
	for name, s := range p.Rehearsal.Services {
		if s.Refusal != nil {
			asks[name] = tokenRequest{signs: Signs(p, name)}
		}
	}
	for _, c := range p.Rehearsal.Load {
		if asks[c.To].path != "" || c.Token == nil {
			continue
		}
		ask := tokenRequest{
			method: c.Request.Method, path: c.Request.Path, body: c.Request.Body, headers: c.Request.Headers, speaks: protocol.Protocol(c.Request.Protocol),
			header: c.Token.Header, issuer: c.Token.Issuer, audience: c.Token.Audience, further: c.Token.Claims, signs: Signs(p, c.To),
		}
		if from := p.Rehearsal.Services[c.Token.From]; from.External() && c.Token.File == "" {
			ask.like = c.Client
		}
		asks[c.To] = ask
	}
	for _, v := range p.Limits.Validators {
		for _, front := range v.Fronts {
			of, own := asks[front], asks[v.Name]
			if own.path != "" || of.path == "" {
				continue
			}
			own.issuer, own.audience, own.further, own.like = of.issuer, of.audience, of.further, of.like
			asks[v.Name] = own
			break
		}
	}
	return asks
}

// show presents a token and says what was decided.
func (a tokenRequest) show(ctx context.Context, base, raw string) (history.Probe, error) {
	if a.path == "" {
		a.method, a.path = http.MethodGet, "/"
	}
	header := http.Header{}
	for name, value := range a.headers {
		header.Set(name, value)
	}
	contract.Present(header, a.header, raw)
	return Request{Method: a.method, URL: base + a.path, Header: header, Body: a.body, Protocol: a.speaks, Signs: a.signs}.Ask(ctx)
}
