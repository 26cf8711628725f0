package observe

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
)

// What is kept of a set says what each key is, and tells two under one name
// apart; no member that is the key is in it.
func TestKeySet(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		status     int
		want       string
		keys       []history.Key
	}{
		{"a set", `{"keys":[{"kid":"a","kty":"EC","crv":"P-256","alg":"ES256","use":"sig","x":"material-x","y":"material-y"},{"kid":"a","kty":"OKP","crv":"Ed25519","x":"material-z"}]}`,
			200, "200", []history.Key{{Kid: "a", Kty: "EC", Crv: "P-256", Alg: "ES256", Use: "sig"}, {Kid: "a", Kty: "OKP", Crv: "Ed25519"}}},
		{"one without a kid", `{"keys":[{"kty":"RSA","e":"AQAB","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","alg":"RS256"}]}`,
			200, "200", []history.Key{{Kty: "RSA", Alg: "RS256", Thumbprint: "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"}}}, // RFC 7638 §3.1
		{"an empty one", `{"keys":[]}`, 200, "200", nil},
		{"a page", `<html>`, 200, history.StatusUnreadable, nil},
		{"something else", `{"error":"x"}`, 200, history.StatusUnreadable, nil},
		{"an error", `{"keys":[]}`, 503, "503", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.UserAgent() != Agent {
					t.Errorf("got agent %q, want %q, by which nobody counts it", r.UserAgent(), Agent)
				}
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			}))
			defer server.Close()
			got := KeySet(t.Context(), server.URL)
			prints := map[string]bool{}
			for i := range got.Keys {
				if strings.Contains(got.Keys[i].Print, "material") || prints[got.Keys[i].Print] {
					t.Errorf("got fingerprint %q, want one of its own that is no part of the key", got.Keys[i].Print)
				}
				prints[got.Keys[i].Print] = true
				got.Keys[i].Print = ""
			}
			if got.Status != tt.want || !slices.Equal(got.Keys, tt.keys) || got.Took <= 0 {
				t.Errorf("got %+v, want %s with %v and how long it took", got, tt.want, tt.keys)
			}
		})
	}
	if got := KeySet(t.Context(), "http://127.0.0.1:1"); got.Status != "refused" {
		t.Errorf("nobody there: got %+v, want refused", got)
	}
}

// set is what a look found.
func set(took time.Duration, kids ...string) *history.KeySet {
	s := &history.KeySet{Status: history.StatusSet, Took: history.Offset(took)}
	for _, kid := range kids {
		s.Keys = append(s.Keys, history.Key{Kid: kid})
	}
	return s
}

// A place is told of when it changes, when it becomes slow, and else now and
// then, with how often it was the same. One that goes back and forth is told so.
func TestSeen(t *testing.T) {
	now := time.Unix(0, 0)
	var events []history.Event
	w := &Watch{Record: func(e history.Event) { events = append(events, e) }, Now: func() time.Time { return now }, Every: Every}
	s := newLastLook(w, Place{Service: "auth", Tells: true})
	look := func(after time.Duration, found *history.KeySet) []history.Event {
		events, now = nil, now.Add(after)
		s.take(found)
		return events
	}
	told := func(what string, got []history.Event, looks int64, again bool, published ...string) {
		t.Helper()
		if len(got) == 0 || got[0].Set.Looks != looks || got[0].Set.Again != again {
			t.Fatalf("%s: got %+v, want one of %d looks, again: %v", what, got, looks, again)
		}
		if (len(got) == 2) != (published != nil) || published != nil && !slices.Equal(got[1].Credentials, published) {
			t.Errorf("%s: got %+v, want what is published: %v", what, got, published)
		}
	}
	told("the first", look(0, set(time.Millisecond, "a")), 1, false, "a")
	if got := look(Every, set(time.Millisecond, "a")); len(got) != 0 {
		t.Errorf("the same: got %v, want nothing", got)
	}
	told("slow", look(Every, set(2*time.Second, "a")), 2, false)
	told("quick again", look(Every, set(time.Millisecond, "a")), 1, false)
	told("another", look(Every, set(time.Millisecond, "a", "b")), 1, false, "a", "b")
	told("back", look(Every, set(time.Millisecond, "a")), 1, true, "a")
	told("and forth", look(Every, set(time.Millisecond, "a", "b")), 1, true, "a", "b")
	told("no set", look(Every, &history.KeySet{Status: "503"}), 1, false)
	told("as before", look(Every, set(time.Millisecond, "a", "b")), 1, false, "a", "b")
	for range int(tellEvery/Every) - 1 {
		if got := look(Every, set(time.Millisecond, "a", "b")); len(got) != 0 {
			t.Fatalf("the same: got %v, want nothing", got)
		}
	}
	told("now and then", look(Every, set(time.Millisecond, "a", "b")), int64(tellEvery/Every), false)
	for after, want := range map[time.Duration]history.Offset{Every: 0, 20 * Every: history.Offset(20 * Every)} {
		look(Every, set(time.Millisecond, "a"))
		if got := look(after, set(time.Millisecond, "a", after.String())); len(got) != 2 || got[1].Began != want {
			t.Errorf("%s after the look before: got %+v, want it published up to %s ago", after, got, want.Wall())
		}
	}
}

// A place that answers that too much is asked is looked at half as often each time it says so,
// and no more often afterwards: what the harness asks is taken from those who are rehearsed.
func TestTooManyRequests(t *testing.T) {
	asked, status := 0, http.StatusTooManyRequests
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"keys":[]}`))
	}))
	defer server.Close()
	now := time.Unix(0, 0)
	s := newLastLook(&Watch{Record: func(history.Event) {}, Now: func() time.Time { return now }, Every: Every}, Place{Service: "auth", URL: func() string { return server.URL }})
	for _, tt := range []struct{ status, want int }{
		{http.StatusTooManyRequests, 4}, // after 0, 1, 3 and 7 s
		{http.StatusOK, 2},
		{http.StatusOK, 2},
	} {
		for asked, status = 0, tt.status; now.Sub(time.Unix(0, 0))%(10*time.Second) < 9500*time.Millisecond; now = now.Add(Every) {
			s.look(t.Context())
		}
		if now = now.Add(Every); asked != tt.want {
			t.Errorf("asked %d times in 10 s while it answered %d, want %d", asked, tt.status, tt.want)
		}
	}
}

// A place that rests is not asked.
func TestRests(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		_, _ = w.Write([]byte(`{"keys":[]}`))
	}))
	defer server.Close()
	rests := true
	s := newLastLook(&Watch{Record: func(history.Event) {}, Now: time.Now}, Place{Service: "edge", URL: func() string { return server.URL }, Rests: func() bool { return rests }})
	s.look(t.Context())
	if asked != 0 {
		t.Errorf("it was asked %d times while it rests, want never", asked)
	}
	rests = false
	if s.look(t.Context()); asked != 1 {
		t.Errorf("it was asked %d times when it does not rest, want once", asked)
	}
}

// A party that cannot be looked at is told of after so many looks in a row, and when it
// can be again.
func TestUnseen(t *testing.T) {
	away := errors.New("away")
	for _, tt := range []struct {
		after int
		looks []error
		want  string
	}{
		{3, []error{away, away, nil, away, away, nil}, ""},
		{3, []error{nil, away, away, away, away}, "away,"},
		{3, []error{away, away, away, away, nil, nil}, "away,,"},
		{0, []error{away, away, away, nil}, ""},
	} {
		told := ""
		u := failedLook{service: "auth", watch: &Watch{Unseen: tt.after, Record: func(e history.Event) { told += e.Detail + "," }}}
		for _, err := range tt.looks {
			u.looked(err)
		}
		if told != tt.want {
			t.Errorf("%v, told after %d: got %q, want %q", tt.looks, tt.after, told, tt.want)
		}
	}
}

// An issuer is told of when it signs with another key; that it gives no token is
// told by those who need one.
func TestWatchIssuer(t *testing.T) {
	answers := []string{"a", "a", "", "b", "b"}
	ctx, cancel := context.WithCancel(t.Context())
	var got []string
	w := &Watch{
		Record: func(e history.Event) { got = append(got, string(e.Kind)+" "+e.Service+" "+e.Identifier) },
		Sleep:  func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Issuers: []Issuer{{Service: "auth", Token: func(context.Context) (string, error) {
			if len(answers) == 0 {
				cancel()
				return "", errors.New("the end")
			}
			kid := answers[0]
			answers = answers[1:]
			if kid == "" {
				return "", errors.New("no token")
			}
			return base64.RawURLEncoding.EncodeToString([]byte(`{"kid":"`+kid+`"}`)) + ".claims.signature", nil
		}}},
	}
	w.Run(ctx)
	if want := []string{"emitting auth a", "emitting auth b"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestSigning: that the set has another key under the kid of a token is told once, when it was
// found at several looks, and not of one that fits, nor of a set that has none by that name.
func TestSigning(t *testing.T) {
	newKey := func(kid string) jose.JSONWebKey {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return jose.JSONWebKey{Key: private, KeyID: kid, Algorithm: "ES256", Use: "sig"}
	}
	key, twin, other := newKey("a"), newKey("a"), newKey("b")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(`{"sub":"ann"}`))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		sets [][]jose.JSONWebKey // one a look
		want int
	}{
		{"its own", [][]jose.JSONWebKey{{key, other}, {key}, {key}, {key}}, 0},
		{"another", [][]jose.JSONWebKey{{twin}, {twin}, {twin}, {twin}, {twin}}, 1},
		{"another, for two looks", [][]jose.JSONWebKey{{twin}, {twin}, {key}, {twin}, {twin}}, 0},
		{"both", [][]jose.JSONWebKey{{twin, key}, {twin, key}, {twin, key}}, 0},
		{"none by that name", [][]jose.JSONWebKey{{other}, {other}, {other}, {other}}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			looks, told := 0, 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				set := jose.JSONWebKeySet{}
				for _, k := range tt.sets[looks] {
					set.Keys = append(set.Keys, k.Public())
				}
				_ = json.NewEncoder(w).Encode(set)
			}))
			defer server.Close()
			s := &signing{
				watch: &Watch{Now: time.Now, Record: func(e history.Event) {
					if e.What == history.OfOtherKey && e.Kind == history.KindEmitting && e.Identifier == "a" && e.Service == "auth" {
						told++
					}
				}},
				issuer: Issuer{Service: "auth", Token: func(context.Context) (string, error) { return raw, nil }, Set: func() string { return server.URL }},
			}
			s.lost = failedLook{service: "auth", watch: s.watch}
			for looks = range tt.sets {
				s.look(t.Context())
			}
			if told != tt.want {
				t.Errorf("told %d times, want %d", told, tt.want)
			}
		})
	}
}

// TestToken: an error never has anything of the token.
func TestToken(t *testing.T) {
	answer := `{"access_token":"eyJraWQiOiJrLTEifQ.secret-part.s"}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("scope") != "x" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_, _ = w.Write([]byte(answer))
	}))
	defer server.Close()
	if raw, err := Token(t.Context(), server.URL, contract.TokenCall{Path: "/", Form: map[string]string{"scope": "x"}}); contract.KidOf(raw) != "k-1" || err != nil {
		t.Errorf("got %q, %v, want a token of k-1", contract.KidOf(raw), err)
	}
	if _, err := Token(t.Context(), server.URL, contract.TokenCall{}); err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("got %v, want that it answered 400", err)
	}
}

// TestLookLast: a place that rests is looked at once more at the end, and no other.
func TestLookLast(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"keys":[]}`)) }))
	defer server.Close()
	var looked []string
	at := func() string { return server.URL }
	w := &Watch{
		Places: []Place{{Service: "auth", URL: at}, {Service: "edge", URL: at, Rests: func() bool { return true }}},
		Record: func(e history.Event) { looked = append(looked, e.Service+" "+e.Set.Status) },
	}
	w.LookLast(t.Context())
	if !slices.Equal(looked, []string{"edge " + history.StatusSet}) {
		t.Errorf("got %v, want one look, at edge", looked)
	}
}
