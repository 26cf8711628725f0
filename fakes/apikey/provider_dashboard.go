package apikey

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin"
)

// dashboard is what a provider shows of an account. It has no value of a key.
type dashboard struct {
	Account     string        `json:"account"`
	At          time.Time     `json:"at"`
	Slots       int           `json:"slots"`
	Free        int           `json:"free"`
	Keys        []providerKey `json:"keys"`
	LockedUntil time.Time     `json:"locked_until,omitzero"`
	Idempotency string        `json:"idempotency"`
	Ledger      LedgerTotals  `json:"ledger"`
}

func (p *provider) dashboard() dashboard {
	keys := p.keys.list()
	return dashboard{
		Account: p.config.Account, At: p.keys.now().UTC(), Slots: Slots, Free: Slots - len(keys), Keys: keys,
		LockedUntil: p.lockout.lockedUntil(), Idempotency: p.config.Idempotency, Ledger: p.ledger.totals(),
	}
}

// State says in words what becomes of a key that is presented at a moment.
func (k providerKey) State(at time.Time) string {
	switch {
	case k.Enabled:
		return "enabled"
	case k.PutOff:
		return "disabled, still accepted for an unknown time"
	case at.Before(k.TakenUntil):
		return "disabled, still accepted for " + k.TakenUntil.Sub(at).Round(time.Second).String()
	}
	return "disabled"
}

//go:embed provider_dashboard.html
var dashboardSource string

var dashboardPage = template.Must(template.New("dashboard").Funcs(template.FuncMap{
	"moment": func(t time.Time) string {
		if t.IsZero() {
			return "never"
		}
		return t.Format("2006-01-02 15:04:05 MST")
	},
}).Parse(dashboardSource))

// page shows the dashboard to a person.
func (p *provider) page(w http.ResponseWriter, _ *http.Request) {
	var page bytes.Buffer
	if err := dashboardPage.Execute(&page, p.dashboard()); err != nil {
		standin.WriteError(w, http.StatusInternalServerError, "cannot show the page: "+err.Error())
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_, _ = page.WriteTo(w) // an error is that of a client that left
}
