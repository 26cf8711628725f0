package apikey

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin"
	"github.com/rehearse-dev/rehearse/harness/history"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// ChargerAgent is the prefix of the User-Agent under which a charger calls;
// its name follows.
const ChargerAgent = "rehearse-charger/"

// Slots is how many keys an account can have at a time, as at
// AWS IAM (two access keys a user).
const Slots = 2

// checkProvider fills in defaults, and says what is wrong.
func checkProvider(c *contract.Provider) error {
	if err := standin.Require("name", c.Name, "account", c.Account, "admin_token", c.AdminToken); err != nil {
		return err
	}
	c.Idempotency = cmp.Or(c.Idempotency, contract.IdempotencyAccount)
	scopes := []string{contract.IdempotencyAccount, contract.IdempotencyKey, contract.IdempotencyNone}
	switch {
	case !slices.Contains(scopes, c.Idempotency):
		return fmt.Errorf("check configuration: idempotency is %q, want one of %v", c.Idempotency, scopes)
	case c.Fails < 0 || c.Fails > 1:
		return fmt.Errorf("check configuration: fails is %v, want a share", c.Fails)
	case c.Lag < 0 || c.Taken < 0 || c.Taken > Slots:
		return fmt.Errorf("check configuration: lag is %s and taken %d of %d slots, want at least 0 and no more than there are", time.Duration(c.Lag), c.Taken, Slots)
	}
	return checkLockout(c.Lockout)
}

type provider struct {
	config   contract.Provider
	log      *slog.Logger
	admin    [sha256.Size]byte
	keys     *providerKeys
	lockout  *lockout
	ledger   *providerLedger
	accepted atomic.Int64
	refused  atomic.Int64
}

// ServeProvider runs a provider of payments: POST /charges and GET /balance want
// an API key, and the keys are made, disabled, enabled and deleted under
// /admin/keys. /dashboard shows them to a person, /dashboard.json to a tool.
func ServeProvider(ctx context.Context, config []byte, listener net.Listener, log io.Writer) error {
	var c contract.Provider
	if err := contract.Decode(config, &c); err != nil {
		return err
	}
	if err := checkProvider(&c); err != nil {
		return err
	}
	p := &provider{
		config: c, log: history.NewLogger(log, c.Name),
		admin: sha256.Sum256([]byte(c.AdminToken)), keys: newProviderKeys(Slots, time.Duration(c.Lag), time.Now),
		lockout: newLockout(c.Lockout, time.Now), ledger: newProviderLedger(c.Idempotency),
	}
	for i := range c.Taken {
		if _, err := p.keys.create(fmt.Sprintf("other-%d", i+1), rand.Text()); err != nil {
			return fmt.Errorf("take a slot: %w", err)
		}
	}
	p.log.Info(string(history.KindService), "detail", describeProvider(c))

	mux := standin.NewMux(&standin.Readiness{}, func() map[string]int64 {
		accepted, refused := p.accepted.Load(), p.refused.Load()
		return map[string]int64{"served": accepted + refused, "accepted": accepted, "refused": refused}
	})
	mux.HandleFunc("POST /charges", p.charge)
	if at := c.Call; at.Path != "" {
		mux.HandleFunc(at.Method+" "+at.Path, func(w http.ResponseWriter, r *http.Request) { p.chargeAs(w, r, at) })
	}
	mux.HandleFunc("GET /balance", p.balance)
	mux.HandleFunc("GET /dashboard", p.page)
	mux.HandleFunc("GET /dashboard.json", func(w http.ResponseWriter, _ *http.Request) { standin.WriteJSON(w, http.StatusOK, p.dashboard()) })
	mux.HandleFunc("GET /admin/keys", p.asAdmin(p.list))
	mux.HandleFunc("PUT /admin/keys/{tag}", p.asAdmin(p.create))
	mux.HandleFunc("POST /admin/keys/{tag}/disable", p.asAdmin(p.disable))
	mux.HandleFunc("POST /admin/keys/{tag}/enable", p.asAdmin(p.enable))
	mux.HandleFunc("DELETE /admin/keys/{tag}", p.asAdmin(p.remove))
	disturbed := standin.NewDisturbances(func(_, value string) { p.keys.putOff(value != "") })
	disturbed.Serve(mux, c.Disturb, map[string]func(string) error{contract.OrderRevoke: standin.OneOf("late")}, nil)
	return standin.ServeHTTP(ctx, listener, mux, p.log)
}

// describeProvider is what is not the same at every provider, for the log.
func describeProvider(c contract.Provider) string {
	also := ""
	if c.ChecksLate {
		also = ", a disabled key is refused after the charge"
	}
	if c.Lockout.After > 0 {
		also += fmt.Sprintf(", %d refused calls within %s lock the account for %s", c.Lockout.After, time.Duration(c.Lockout.Window), time.Duration(c.Lockout.For))
	}
	return fmt.Sprintf("provider: account %s, at most %d keys, %d of them taken, a disabled key is taken for %s, idempotency by %s%s, answers %.3g%% of charges too late",
		c.Account, Slots, c.Taken, time.Duration(c.Lag), c.Idempotency, also, 100*c.Fails)
}

func (p *provider) asAdmin(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.Sum256([]byte(contract.Bearer(r)))
		if subtle.ConstantTimeCompare(sum[:], p.admin[:]) != 1 {
			standin.WriteError(w, http.StatusUnauthorized, "want the admin token")
			return
		}
		next(w, r)
	}
}

func (p *provider) list(w http.ResponseWriter, _ *http.Request) {
	standin.WriteJSON(w, http.StatusOK, map[string]any{"account": p.config.Account, "limit": Slots, "keys": p.keys.list()})
}

// create makes a key of the value that it is given. To give the same again
// changes nothing, so that a caller can repeat itself.
func (p *provider) create(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Value string `json:"value"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&body); err != nil || body.Value == "" {
		standin.WriteError(w, http.StatusBadRequest, `want a JSON body with a string "value"`)
		return
	}
	tag := r.PathValue("tag")
	created, err := p.keys.create(tag, body.Value)
	switch {
	case errors.Is(err, errNoSlot):
		standin.WriteJSON(w, http.StatusConflict, map[string]string{"error": err.Error(), "code": contract.CodeNoSlot})
	case err != nil:
		standin.WriteError(w, http.StatusConflict, err.Error())
	case created:
		p.log.Info(string(history.KindLearned), "identifier", tag)
		standin.WriteJSON(w, http.StatusCreated, map[string]string{"tag": tag})
	default:
		standin.WriteJSON(w, http.StatusOK, map[string]string{"tag": tag})
	}
}

func (p *provider) disable(w http.ResponseWriter, r *http.Request) {
	p.change(w, r, history.KindForgot, func(tag string) (bool, bool) { return p.keys.setEnabled(tag, false) })
}

func (p *provider) enable(w http.ResponseWriter, r *http.Request) {
	p.change(w, r, history.KindLearned, func(tag string) (bool, bool) { return p.keys.setEnabled(tag, true) })
}

func (p *provider) remove(w http.ResponseWriter, r *http.Request) {
	p.change(w, r, history.KindForgot, p.keys.remove)
}

// change does something to a key and logs kind if that changed what is accepted.
func (p *provider) change(w http.ResponseWriter, r *http.Request, kind history.Kind, do func(tag string) (found, changed bool)) {
	tag := r.PathValue("tag")
	found, changed := do(tag)
	if !found {
		standin.WriteError(w, http.StatusNotFound, fmt.Sprintf("there is no key %q", tag))
		return
	}
	if changed {
		p.log.Info(string(kind), "identifier", tag)
	}
	standin.WriteJSON(w, http.StatusOK, map[string]string{"tag": tag})
}
