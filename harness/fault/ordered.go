package fault

import (
	"context"
	"net/http"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// ordered is a fault that a stand-in carries out on orders.
type ordered struct {
	untilEnd
	site          *site
	service       string
	kind, setting string
}

// Inject orders it.
func (o ordered) Inject(ctx context.Context) error {
	return o.site.order(ctx, http.MethodPost, o.service, contract.DisturbPath,
		contract.Order{Kind: o.kind, Value: o.setting}, http.StatusNoContent)
}

// Undo takes the order back, also one that was not given.
func (o ordered) Undo(ctx context.Context) error {
	return o.site.order(ctx, http.MethodDelete, o.service, contract.DisturbPath+"?kind="+o.kind, nil, http.StatusNoContent)
}

// orderedFault is an ordered fault with its gauge.
type orderedFault struct {
	ordered
	Gauge
}

// atIssuer prepares orders to an issuer.
func atIssuer(f scenario.Fault, g *Graph) error { return g.serves(f.On, "issuer") }

// holders are the stand-ins that read what is published and report what they hold.
var holders = []string{"charger", "issuer", "querier", "receiver", "sender"}

// atReader prepares orders to a consumer whose secret is a value.
func atReader(f scenario.Fault, g *Graph) error {
	if err := g.serves(f.On, "charger", "receiver", "sender"); err != nil {
		return err
	}
	return g.rereads(f.On)
}

// spoils makes a kind that spoils what one consumer gets, by a setting of contract.OrderValue.
func spoils(name, setting, does string) Kind {
	return Kind{
		Name: name, Does: does,
		Where:    "on: a charger, receiver or sender that reads the store or a file; before accept",
		Evidence: "what the consumer holds is not what is published at the store, by their fingerprints",
		prepare:  atReader,
		bind: func(f scenario.Fault, s *site) (Fault, error) {
			return orderedFault{ordered{site: s, service: f.On, kind: contract.OrderValue, setting: setting}, newHoldingGauge(s, f.On)}, nil
		},
	}
}
