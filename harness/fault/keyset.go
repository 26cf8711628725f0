package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// probeAgent is how the harness's own requests are told from load, wherever a
// presenter is named: family.ProbeAgent.
const probeAgent = "rehearse-probe"

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

// Names of the figures of a key set and of a token.
const (
	status    = "status"
	keys      = "keys"        // in the set
	kids      = "kids"        // different ones among them
	otherType = "other_types" // keys of another type than the page's
	hasKid    = "has_kid"     // 1 where a token's header has one
	misnamed  = "misnamed"    // 1 where that is not of the key that the issuer says it signed with
	ahead     = "ahead_ms"    // of a token's iat, or an answer's Date, over the harness's clock
)

// keySetGauge asks an issuer for its key set, as a verifier does. differs reports whether a set shows
// the effect.
type keySetGauge struct {
	site    *site
	service string
	differs func(before, now Reading) bool
	waits   bool // the effect shows later: with the next key, or to one who asks more often
}

var _ Gauge = keySetGauge{}

// Measure asks once, or where the effect shows later until it does.
func (k keySetGauge) Measure(ctx context.Context, span time.Duration) Reading {
	return watch(ctx, span, k.once, func(r Reading) bool { return !k.waits || k.differs(r, r) })
}

// Took reports whether there was a set, and then one with the effect.
func (k keySetGauge) Took(before, during Reading) bool {
	return before[status] == http.StatusOK && before[keys] > 0 && !k.differs(before, before) && len(during) > 0 && k.differs(before, during)
}

// Back reports whether there is a set without the effect.
func (k keySetGauge) Back(before, after Reading) bool {
	return after[status] == http.StatusOK && after[keys] > 0 && !k.differs(before, after)
}

func (k keySetGauge) once(ctx context.Context) Reading {
	code, _, body, err := k.site.fetch(ctx, k.service, k.site.plan.Runbook.Storage.JWKS)
	if err != nil {
		return Reading{}
	}
	r := Reading{status: float64(code), keys: 0, kids: 0, otherType: 0}
	var set struct {
		Keys []struct{ Kid, Alg string }
	}
	if json.Unmarshal(body, &set) != nil {
		return r
	}
	different := map[string]bool{}
	for _, key := range set.Keys {
		different[key.Kid] = true
		r[keys]++
		if key.Alg != k.site.plan.Runbook.Format.Type {
			r[otherType]++
		}
	}
	r[kids] = float64(len(different))
	return r
}

// fetch makes a request in the name of the harness's probes.
func (s *site) fetch(ctx context.Context, service, path string) (code int, header http.Header, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Runtime.URL(service, false)+path, nil)
	if err != nil {
		return 0, nil, nil, err
	}
	req.Header.Set("User-Agent", probeAgent)
	req.Header.Set("Authorization", "Bearer "+s.token)
	resp, err := orders.Do(req)
	if err != nil {
		return 0, nil, nil, fmt.Errorf("ask %s: %w", service, err)
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return resp.StatusCode, resp.Header, body, err
}

// probeLife is the life of a token that is looked at and thrown away.
const probeLife = 30 * time.Second

// tokenLook asks an issuer for a token and looks at its header and claims.
type tokenLook struct {
	site   *site
	issuer string
}

func (a tokenLook) once(ctx context.Context) Reading {
	asked := time.Now()
	call := contract.TokenCall{Form: map[string]string{"client": probeAgent, "session": probeAgent, "life": probeLife.String()}}
	answer, err := call.Ask(ctx, orders, a.site.Runtime.URL(a.issuer, false), probeAgent)
	if err != nil {
		return Reading{}
	}
	header, claims, err := look(answer.Token)
	if err != nil {
		return Reading{}
	}
	r := Reading{hasKid: 0, misnamed: 0, ahead: float64(time.Unix(claims, 0).Sub(asked).Milliseconds())}
	if header != "" {
		r[hasKid] = 1
		if answer.Kid != header {
			r[misnamed] = 1
		}
	}
	return r
}

// look reads the kid and the iat of a token. The error quotes nothing of it.
func look(token string) (kid string, iat int64, err error) {
	parts := strings.Split(token, ".")
	var header struct{ Kid string }
	var claims struct{ Iat int64 }
	if len(parts) != 3 || contract.DecodePart(parts[0], &header) != nil || contract.DecodePart(parts[1], &claims) != nil {
		return "", 0, errNoToken
	}
	return header.Kid, claims.Iat, nil
}

var errNoToken = errors.New("the answer holds no token")
