package fault

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// seal seals the secrets store, like a restart without an unseal key or an operator in an emergency: it
// answers everything with 503.
var seal = Kind{
	Name:     "seal",
	Does:     "seals the secrets store: it answers everything with 503, until `for` is over or the end",
	Where:    "on: store, where it is the run's own",
	Evidence: "its health says that it is sealed",
	prepare: func(f scenario.Fault, _ *Graph) error {
		if f.On != storeName {
			return fmt.Errorf("%s is not the store: on: %s", f.On, storeName)
		}
		return nil
	},
	bind: func(_ scenario.Fault, s *site) (Fault, error) {
		if s.Sealer == nil {
			return nil, fmt.Errorf("the store is not the run's own: %w", ErrCannot)
		}
		return sealed{sealGauge: sealGauge{s}, sealer: s.Sealer}, nil
	},
}

// storeName is the store's name in every run.
const storeName = "store"

type sealed struct {
	untilEnd
	sealGauge
	sealer Sealer
}

// Inject seals the store.
func (s sealed) Inject(ctx context.Context) error { return s.sealer.Seal(ctx) }

// Undo opens it again.
func (s sealed) Undo(ctx context.Context) error { return s.sealer.Unseal(ctx) }

// sealGauge asks for the store's health, which needs no token.
type sealGauge struct{ site *site }

var _ Gauge = sealGauge{}

// Measure asks once.
func (g sealGauge) Measure(ctx context.Context, span time.Duration) Reading {
	return watch(ctx, span, g.once, func(Reading) bool { return true })
}

// Took reports whether it was open, and then sealed (503, as Vault's sys/health has it).
func (sealGauge) Took(before, during Reading) bool {
	return before[status] == http.StatusOK && during[status] == http.StatusServiceUnavailable
}

// Back says that it is open.
func (sealGauge) Back(_, after Reading) bool { return after[status] == http.StatusOK }

func (g sealGauge) once(ctx context.Context) Reading {
	code, _, _, err := g.site.fetch(ctx, storeName, "/v1/sys/health")
	if err != nil {
		return Reading{}
	}
	return Reading{status: float64(code)}
}
