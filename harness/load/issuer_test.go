package load

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

func TestFetchToken(t *testing.T) {
	const secret = "h.payload-of-the-token.s"
	jwt := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","kid":"from-header"}`)) + ".p.s"
	for _, test := range []struct {
		name, answer string
		status       int
		kid          string
		renewAfter   time.Duration
		usableFor    time.Duration
		failure      string // part of the error; "" for none
	}{
		{"kid is told", `{"access_token":"` + secret + `","expires_in":10,"kid":"k1"}`, 200, "k1", 8 * time.Second, 9 * time.Second, ""},
		{"kid is in the token", `{"access_token":"` + jwt + `","expires_in":10}`, 200, "from-header", 8 * time.Second, 9 * time.Second, ""},
		{"kid is nowhere", `{"access_token":"opaque","expires_in":10}`, 200, "", 8 * time.Second, 9 * time.Second, ""},
		{"shorter than asked", `{"access_token":"a","expires_in":5,"kid":"k1"}`, 200, "k1", 4 * time.Second, 4250 * time.Millisecond, ""},
		{"longer than asked", `{"access_token":"a","expires_in":60,"kid":"k1"}`, 200, "k1", 8 * time.Second, 59 * time.Second, ""},
		{"no expires_in", `{"access_token":"a","kid":"k1"}`, 200, "k1", 8 * time.Second, 9 * time.Second, ""},
		{"refused", `{"access_token":"` + secret + `"}`, 503, "", 0, 0, "answered 503; want 200"},
		{"not JSON", secret, 200, "", 0, 0, "something else than a JSON token answer"},
		{"wrong types", `{"access_token":"` + secret + `","expires_in":"` + secret + `"}`, 200, "", 0, 0, "something else than a JSON token answer"},
		{"no token", `{}`, 200, "", 0, 0, "without an access_token"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodPost || r.URL.Path != "/token" || r.UserAgent() != "rehearse-load/web" {
					t.Errorf("got %s %s by %s; want POST /token by rehearse-load/web", r.Method, r.URL.Path, r.UserAgent())
				}
				if got, want := []string{r.FormValue("client"), r.FormValue("session"), r.FormValue("life")}, []string{"web", "web-1", "10s"}; strings.Join(got, " ") != strings.Join(want, " ") {
					t.Errorf("got form %q; want %q", got, want)
				}
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.answer))
			}))
			defer server.Close()
			config := ClientConfig{Name: "web", To: "checkout", Token: &TokenConfig{URL: server.URL + "/", Life: Duration(10 * time.Second)}}
			config.fill()
			clock := newClock()
			issuer := &issuer{client: &config, http: server.Client(), clock: clock, cells: newCells(clock, time.Second)}
			tok, err := issuer.fetch(t.Context(), "web-1")
			if test.failure != "" {
				if err == nil || !strings.Contains(err.Error(), test.failure) || !strings.Contains(err.Error(), "session web-1") {
					t.Fatalf("got error %v; want one of session web-1 that says %q", err, test.failure)
				}
				if strings.Contains(err.Error(), "payload") {
					t.Errorf("error %q holds a part of the answer; want none", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if tok.kid != test.kid || tok.cell.kid != test.kid {
				t.Errorf("kid is %q, of its cell %q; want %q", tok.kid, tok.cell.kid, test.kid)
			}
			if got := time.Duration(tok.renewAt-tok.issuedAt) * time.Microsecond; got != test.renewAfter {
				t.Errorf("renewed after %v; want %v", got, test.renewAfter)
			}
			if got := time.Duration(tok.unusable-tok.issuedAt) * time.Microsecond; got != test.usableFor {
				t.Errorf("usable for %v; want %v", got, test.usableFor)
			}
		})
	}
}

// A validator refuses a token from its exp on, whatever its issuer said of its life.
func TestTokenIsNotSentAfterItsOwnExpiry(t *testing.T) {
	encode := base64.RawURLEncoding.EncodeToString
	for claims, want := range map[string]int64{
		`{"exp":1700000000}`:   1700000000_000000,
		`{"exp":1700000000.5}`: 1700000000_500000,
		`{"exp":1e300}`:        math.MaxInt64,
		`{"exp":"soon"}`:       math.MaxInt64,
		`{}`:                   math.MaxInt64,
		`not JSON`:             math.MaxInt64,
	} {
		if got := expiryOf(encode([]byte(`{}`)) + "." + encode([]byte(claims)) + ".c2ln"); got != want {
			t.Errorf("of %s: got %d, want %d", claims, got, want)
		}
	}
	if got := expiryOf("opaque"); got != math.MaxInt64 {
		t.Errorf("of an opaque token: got %d, want none", got)
	}

	clock := newClock()
	exp := clock.now()/1e6 + 5
	jwt := encode([]byte(`{"kid":"k1"}`)) + "." + encode(fmt.Appendf(nil, `{"exp":%d}`, exp)) + ".c2ln"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"access_token":%q,"expires_in":10}`, jwt)
	}))
	defer server.Close()
	config := ClientConfig{Name: "web", To: "checkout", Token: &TokenConfig{URL: server.URL, Life: Duration(10 * time.Second)}}
	config.fill()
	issuer := &issuer{client: &config, http: server.Client(), clock: clock, cells: newCells(clock, time.Second)}
	tok, err := issuer.fetch(t.Context(), "web-1")
	if err != nil {
		t.Fatal(err)
	}
	if tok.unusable != exp*1e6 {
		t.Errorf("usable until %d, want its exp, %d", tok.unusable, exp*int64(1e6))
	}
	if tok.renewAt > tok.issuedAt+4e6 {
		t.Errorf("renewed %d µs after it was asked for, want it within 4/5 of the 5 s that it lasts at most", tok.renewAt-tok.issuedAt)
	}
}

// TestLifeByTheTokenItself: whoever checks a token takes it until its exp, however early its client
// renews it, and whatever its issuer said of it.
func TestLifeByTheTokenItself(t *testing.T) {
	clock := newClock()
	now := clock.now() / 1e6
	const room = 30 * time.Second
	for _, tt := range []struct {
		name, claims, says string
		want               time.Duration
		room               time.Duration // of the moment at which it is asked for
	}{
		{"longer than the client wants", fmt.Sprintf(`{"iat":%d,"exp":%d}`, now, now+60), "", time.Minute, room},
		{"and than its issuer says", fmt.Sprintf(`{"iat":%d,"exp":%d}`, now, now+60), `,"expires_in":10`, time.Minute, room},
		{"by an issuer whose clock is ahead", fmt.Sprintf(`{"iat":%d,"exp":%d}`, now+30, now+40), "", 10 * time.Second, 0},
		{"dated back", fmt.Sprintf(`{"iat":%d,"exp":%d}`, now-50, now+10), "", 10 * time.Second, time.Second},
		{"without iat", fmt.Sprintf(`{"exp":%d}`, now+60), "", time.Minute, room},
		{"without exp", fmt.Sprintf(`{"iat":%d}`, now), "", 10 * time.Second, 0},
	} {
		encode := base64.RawURLEncoding.EncodeToString
		jwt := encode([]byte(`{"kid":"k1"}`)) + "." + encode([]byte(tt.claims)) + ".c2ln"
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, `{"access_token":%q%s}`, jwt, tt.says)
		}))
		defer server.Close()
		config := ClientConfig{Name: "web", To: "checkout", Token: &TokenConfig{URL: server.URL, Life: Duration(10 * time.Second)}}
		config.fill()
		issuer := &issuer{client: &config, http: server.Client(), clock: clock, cells: newCells(clock, time.Second)}
		tok, err := issuer.fetch(t.Context(), "web-1")
		if err != nil {
			t.Fatal(err)
		}
		if got := time.Duration(tok.life) * time.Microsecond; got > tt.want || got < tt.want-tt.room {
			t.Errorf("%s: lives for %s, want %s", tt.name, got, tt.want)
		}
		if renewed := tok.renewAt - tok.issuedAt; renewed > 8e6 {
			t.Errorf("%s: renewed after %d µs, want it as its client does, after 8 s at most", tt.name, renewed)
		}
	}
}

// TestLifeDoesNotDependOnThePartOfASecond: an exp in whole seconds, rounded up,
// moves no renewal, so that sessions which began apart stay apart.
func TestLifeDoesNotDependOnThePartOfASecond(t *testing.T) {
	const second = 1_000_000
	for _, wanted := range []time.Duration{10 * time.Second, 6667 * time.Millisecond} {
		promised := (wanted + time.Second - 1).Truncate(time.Second)
		for asked := int64(1700000000 * second); asked < 1700000001*second; asked += 50_000 {
			ends := asked + wanted.Microseconds()
			expiry := (ends + second - 1) / second * second
			if got := lifeOf(promised, wanted, asked, expiry); got != wanted {
				t.Errorf("asked for %s at %d µs of a second: got %s", wanted, asked%second, got)
			}
		}
	}
	for _, tt := range []struct{ promised, left, want time.Duration }{
		{0, 0, 10 * time.Second},
		{time.Minute, 0, time.Minute}, // longer than asked for
		{10 * time.Second, 5 * time.Second, 5 * time.Second},
		{5 * time.Second, 0, 5 * time.Second},
		{time.Minute, 30 * time.Second, 30 * time.Second},
	} {
		expiry := int64(math.MaxInt64)
		if tt.left > 0 {
			expiry = 7*second + tt.left.Microseconds()
		}
		if got := lifeOf(tt.promised, 10*time.Second, 7*second, expiry); got != tt.want {
			t.Errorf("promised %s with %s left: got %s, want %s", tt.promised, tt.left, got, tt.want)
		}
	}
}

func TestTokensThatLastNoTimeDoNotFloodTheirIssuer(t *testing.T) {
	if got := renewalPeriod(&TokenConfig{RenewAt: 0.8, Life: Duration(time.Minute)}, time.Millisecond); got != minRenewal {
		t.Errorf("renewed after %v; want %v", got, minRenewal)
	}
}

func TestFormOfATokenEndpoint(t *testing.T) {
	own := func(call contract.TokenCall) TokenConfig {
		return TokenConfig{Life: Duration(time.Minute), TokenCall: call}
	}
	standIns := map[string]string{"client": "web", "life": "1m0s", "session": "web-1"}
	for _, test := range []struct {
		name  string
		token TokenConfig
		want  map[string]string
	}{
		{"a stand-in's", own(contract.TokenCall{}), standIns},
		{"a stand-in's with claims", TokenConfig{Life: Duration(time.Minute), Issuer: "https://id", Audience: "orders", Claims: `{"scope":"a"}`},
			map[string]string{"aud": "orders", "claims": `{"scope":"a"}`, "client": "web", "iss": "https://id", "life": "1m0s", "session": "web-1"}},
		{"one of a team's own", own(contract.TokenCall{Form: map[string]string{"grant_type": "client_credentials"}}),
			map[string]string{"grant_type": "client_credentials"}},
		{"one that is asked as a stand-in is, with a header", own(contract.TokenCall{Path: "/oauth", Headers: map[string]string{"X-Tenant": "a"}}), standIns},
		{"one that takes JSON", own(contract.TokenCall{Body: "{}"}), nil},
		{"one that takes nothing", own(contract.TokenCall{Method: http.MethodGet}), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			i := &issuer{client: &ClientConfig{Name: "web", Token: &test.token}}
			if got := i.call("web-1").Form; !maps.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
			if len(test.token.Form) != len(test.want) && len(test.token.Form) > 0 {
				t.Error("the settings were changed")
			}
		})
	}
}

func TestHeaderThatPresents(t *testing.T) {
	for _, test := range []struct {
		name       string
		token      *TokenConfig
		credential string
		header     string
		want       string
	}{
		{"bearer", &TokenConfig{}, "abc", "Authorization", "Bearer abc"},
		{"one of its own", &TokenConfig{Header: "X-API-Key"}, "abc", "X-Api-Key", "abc"},
		{"one of its own has no other", &TokenConfig{Header: "X-API-Key"}, "abc", "Authorization", ""},
		{"nothing to present", nil, "", "Authorization", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := ClientConfig{Name: "web", Token: test.token}
			if got := c.header(test.credential).Get(test.header); got != test.want {
				t.Errorf("got %s %q, want %q", test.header, got, test.want)
			}
		})
	}
}

func TestTokenThatStaysTheSameIsNeitherFetchedNorRenewed(t *testing.T) {
	encode := base64.RawURLEncoding.EncodeToString
	jwt := encode([]byte(`{"kid":"k7"}`)) + "." + encode([]byte(`{}`)) + ".c2ln"
	config := ClientConfig{Name: "web", To: "checkout", Sessions: 1, Token: &TokenConfig{Value: jwt}}
	traffic := &traffic{cells: newCells(newClock(), time.Second)}
	c := &client{config: &config, sessions: newSessions(&config, newClock(), nil)}
	if err := traffic.firstTokens(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	tok := c.sessions[0].current.Load()
	if tok.kid != "k7" || tok.unusable != math.MaxInt64 || tok.header.Get("Authorization") != "Bearer "+jwt || config.fetches() {
		t.Errorf("got kid %q, usable until %d, fetched %t; want k7, for ever and not", tok.kid, tok.unusable, config.fetches())
	}
}
