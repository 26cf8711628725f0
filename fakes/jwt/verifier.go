package jwt

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin"
	"github.com/rehearse-dev/rehearse/harness/certs"
	"github.com/rehearse-dev/rehearse/harness/history"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// settings are a verifier's configuration, with its clock.
type settings struct {
	contract.Verifier
	now func() time.Time
}

// library checks tokens as a service does that uses it.
type library interface {
	// Verify returns the subject of a token, or why it is refused.
	Verify(ctx context.Context, raw string) (subject string, err error)
	// Keeps says which kids it holds now, having just fetched a set. A library
	// that does not tell keeps what it fetched.
	Keeps(fetched []string) []string
	// Close waits for what the library runs by itself, where it can be waited for.
	Close() error
}

// libraries are the constructors by name. Each also describes the settings
// that are in effect. What a library starts ends with ctx.
var libraries = map[string]func(ctx context.Context, c settings) (lib library, settings string, err error){
	"go-oidc":    newGoOIDC,
	"keyfunc":    newKeyfunc,
	"jwx":        newJWX,
	"single-key": newSingleKey,
	"static":     newStatic,
}

// scaled is a duration of a library at its default, divided by the speed.
func (c settings) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) / c.Speed)
}

// startDeadline bounds the wait for a key set at the start.
const startDeadline = 30 * time.Second

type verifier struct {
	log       *slog.Logger
	library   atomic.Pointer[library]
	accepted  atomic.Int64
	refused   atomic.Int64
	undecided atomic.Int64
	disturbed standin.Disturbances
}

// ServeVerifier runs a service that checks the bearer token of every request
// with one of the libraries, behind its real cache: 200 with the token's
// subject, or 401. Only one verifier per key set can run in a process.
func ServeVerifier(ctx context.Context, config []byte, listener net.Listener, log io.Writer) error {
	c := settings{Verifier: contract.Verifier{Speed: 1, Algorithms: contract.SignatureAlgorithms()}}
	if err := contract.Decode(config, &c.Verifier); err != nil {
		return err
	}
	if err := standin.Require("name", c.Name, "library", c.Library, "jwks", c.JWKS, "issuer", c.Issuer); err != nil {
		return err
	}
	if c.Speed <= 0 {
		return fmt.Errorf("check configuration: speed is %v, want more than 0", c.Speed)
	}
	switch {
	case c.Library == "go-oidc" && c.Leeway != 0:
		return errors.New("check configuration: go-oidc v3 has no leeway that could be set")
	case c.Library == "jwx" && !slices.Equal(c.Algorithms, contract.SignatureAlgorithms()):
		return errors.New("check configuration: jwx v3 takes the algorithm that the key in the set says")
	}
	build, known := libraries[c.Library]
	if !known {
		return fmt.Errorf("check configuration: library %q is not known, want one of %s",
			c.Library, strings.Join(slices.Sorted(maps.Keys(libraries)), ", "))
	}
	v := &verifier{log: history.NewLogger(log, c.Name)}
	clock := standin.NewClock(&v.disturbed)
	c.now = clock.Now
	ready := standin.WaitingFor("keys at " + c.JWKS)
	mux := standin.NewMux(ready, func() map[string]int64 {
		accepted, refused, undecided := v.accepted.Load(), v.refused.Load(), v.undecided.Load()
		return map[string]int64{"served": accepted + refused + undecided, "accepted": accepted, "refused": refused, "undecided": undecided}
	})
	mux.HandleFunc("/", v.check)
	v.disturbed.Serve(mux, c.Disturb, map[string]func(string) error{contract.OrderClock: standin.CheckShift}, nil)
	return standin.ServeHTTP(ctx, listener, clock.Dated(mux), v.log, func(ctx context.Context) error {
		watch, err := observe(c.JWKS, "rehearse-verifier/"+c.Name, v.log)
		if err != nil {
			return err
		}
		defer watch.stop()
		if err := awaitKeys(ctx, c, ready); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		lib, settings, err := build(ctx, c)
		if ctx.Err() != nil {
			return nil // ended while it started
		}
		if err != nil {
			return fmt.Errorf("start %s: %w", c.Library, err)
		}
		v.log.Info(string(history.KindService), "detail", settings)
		watch.start(lib.Keeps)
		v.library.Store(&lib)
		ready.Set(nil)
		<-ctx.Done()
		return lib.Close()
	})
}

// check decides about one request.
func (v *verifier) check(w http.ResponseWriter, r *http.Request) {
	lib := v.library.Load()
	if lib == nil {
		v.undecided.Add(1)
		v.log.Info(history.MessageUndecided, "status", "503", "detail", "not ready")
		standin.WriteError(w, http.StatusServiceUnavailable, "not ready")
		return
	}
	raw := contract.Bearer(r)
	if raw == "" {
		v.refuse(w, "", 0, errors.New("no bearer token"))
		return
	}
	begin := time.Now()
	subject, err := (*lib).Verify(r.Context(), raw)
	took := time.Since(begin)
	if err != nil {
		v.refuse(w, raw, took, err)
		return
	}
	kid, client := describe(raw)
	v.accepted.Add(1)
	v.log.Info(history.MessageAccepted, "identifier", kid, "presenter", client, "status", "200", "latency_us", took.Microseconds())
	standin.WriteJSON(w, http.StatusOK, map[string]string{"sub": subject})
}

func (v *verifier) refuse(w http.ResponseWriter, raw string, took time.Duration, err error) {
	reason := err.Error()
	if raw != "" {
		// The text is the library's: it must not carry the token on.
		reason = strings.ReplaceAll(reason, raw, "[token]")
	}
	kid, client := describe(raw)
	v.refused.Add(1)
	v.log.Info(history.MessageRefused, "identifier", kid, "presenter", client, "status", "401", "detail", reason, "latency_us", took.Microseconds())
	w.Header().Set("WWW-Authenticate", "Bearer") // RFC 6750 §3
	standin.WriteError(w, http.StatusUnauthorized, reason)
}

// describe reads a token's kid and client without checking anything, for the
// log only; each is "" where it cannot be read.
func describe(raw string) (kid, client string) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return "", ""
	}
	var header struct {
		KID string `json:"kid"`
	}
	var claims struct {
		ClientID string `json:"client_id"`
	}
	for part, into := range []any{&header, &claims} {
		data, err := base64.RawURLEncoding.DecodeString(parts[part])
		if err != nil {
			continue
		}
		// What cannot be parsed stays "": it is the library that says why.
		_ = json.Unmarshal(data, into)
	}
	return header.KID, claims.ClientID
}

// awaitKeys waits until the key set can be had and is not empty, so that no
// library starts on an issuer that is not there yet: keyfunc would sit on an
// empty set until its cooldown is over. It asks under a name of its own and
// past the observer.
func awaitKeys(ctx context.Context, c settings, ready *standin.Readiness) error {
	ctx, cancel := context.WithTimeout(ctx, startDeadline)
	defer cancel()
	transport := certs.Trusting(&http.Transport{})
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		last := askKeys(ctx, client, c)
		if last == nil {
			return nil
		}
		if ctx.Err() == nil {
			ready.Set(last)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for keys at %s: %w; last seen: %w", c.JWKS, ctx.Err(), ready.State())
		case <-ticker.C:
		}
	}
}

func askKeys(ctx context.Context, client *http.Client, c settings) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.JWKS, nil)
	if err != nil {
		return fmt.Errorf("ask for keys: %w", err)
	}
	req.Header.Set("User-Agent", "rehearse-ready/"+c.Name)
	set, err := fetchSet(client, req, nil)
	if err != nil {
		return fmt.Errorf("ask for keys: %w", err)
	}
	if len(set.Keys) == 0 {
		return fmt.Errorf("ask for keys: the set at %s is empty", c.JWKS)
	}
	return nil
}
