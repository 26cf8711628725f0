package contract

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestTokenCall asks an endpoint as a team's own wants it, and reads its answer.
func TestTokenCall(t *testing.T) {
	t.Parallel()
	const token = "eyJraWQiOiJrLTEifQ.payload-of-the-token.s" // kid k-1
	basic := &BasicClient{ID: "shop:1", Secret: "s/cret"}
	for _, tt := range []struct {
		name   string
		call   TokenCall
		wants  string // METHOD PATH?QUERY TYPE BODY
		answer string
		kid    string
		fails  string
	}{
		{"as a stand-in's", TokenCall{Form: map[string]string{"a": "b c"}}, "POST /token application/x-www-form-urlencoded a=b+c",
			`{"access_token":"` + token + `","kid":"k9"}`, "k9", ""},
		{"its kid is in the token", TokenCall{Path: "/oauth/token"}, "POST /oauth/token application/x-www-form-urlencoded ", `{"access_token":"` + token + `"}`, "k-1", ""},
		{"GET", TokenCall{Method: "GET", Form: map[string]string{"aud": "shop"}}, "GET /token?aud=shop  ", `{"access_token":"` + token + `"}`, "k-1", ""},
		{"JSON", TokenCall{Body: `{"user":"a"}`}, `POST /token application/json {"user":"a"}`, `{"access_token":"` + token + `"}`, "k-1", ""},
		{"another type", TokenCall{Body: "<a/>", Headers: map[string]string{"Content-Type": "text/xml"}}, "POST /token text/xml <a/>", `{"access_token":"` + token + `"}`, "k-1", ""},
		{"the client's secret", TokenCall{Basic: basic}, "POST /token application/x-www-form-urlencoded  shop%3A1 s%2Fcret", `{"access_token":"` + token + `"}`, "k-1", ""},
		{"deep in the answer", TokenCall{Field: "data.jwt"}, "POST /token application/x-www-form-urlencoded ", `{"data":{"jwt":"` + token + `"}}`, "k-1", ""},
		{"not where it was said", TokenCall{Field: "data.jwt"}, "POST /token application/x-www-form-urlencoded ", `{"access_token":"` + token + `"}`, "", "without an data.jwt"},
		{"no string", TokenCall{}, "POST /token application/x-www-form-urlencoded ", `{"access_token":{"payload":1}}`, "", "something else than a JSON token answer"},
		{"no JSON", TokenCall{}, "POST /token application/x-www-form-urlencoded ", token, "", "something else than a JSON token answer"},
		{"refused", TokenCall{}, "", `{"access_token":"` + token + `"}`, "", "answered 401; want 200"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got := r.Method + " " + r.URL.RequestURI() + " " + r.Header.Get("Content-Type") + " " + string(body)
				if user, password, has := r.BasicAuth(); has {
					got += " " + user + " " + password
				}
				switch {
				case tt.wants == "":
					w.WriteHeader(http.StatusUnauthorized)
				case got != tt.wants:
					t.Errorf("asked %q, want %q", got, tt.wants)
				}
				if r.UserAgent() != "tester" {
					t.Errorf("asked by %q", r.UserAgent())
				}
				_, _ = io.WriteString(w, tt.answer)
			}))
			defer server.Close()
			answer, err := tt.call.Ask(t.Context(), server.Client(), server.URL+"/", "tester")
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) || strings.Contains(err.Error(), "payload") {
					t.Errorf("got error %v, want one that says %q and nothing of the token", err, tt.fails)
				}
				return
			}
			if err != nil || answer.Token != token || answer.Kid != tt.kid {
				t.Errorf("got %+v, %v, want kid %s", answer, err, tt.kid)
			}
		})
	}
}

// TestTokenCallThatFailsQuotesNothing: the address of a call with GET may hold a secret.
func TestTokenCallThatFailsQuotesNothing(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	call := TokenCall{Method: "GET", Form: map[string]string{"client_secret": "payload"}, Basic: &BasicClient{"a", "payload"}}
	if _, err := call.Ask(t.Context(), server.Client(), server.URL, "tester"); err == nil || strings.Contains(err.Error(), "payload") {
		t.Errorf("got %v, want an error without the secret", err)
	}
}

// TestTokenCallFilled fills in every text, and changes nothing of the original.
func TestTokenCallFilled(t *testing.T) {
	t.Parallel()
	call := TokenCall{Path: "x", Body: "x", Field: "x", Form: map[string]string{"x": "x"}, Headers: map[string]string{"x": "x"}, Basic: &BasicClient{"x", "x"}, PrivateKeyJWT: &KeyClient{ID: "x", Key: "x", Kid: "x", Audience: "x"}}
	got, err := call.Filled(func(s string) (string, error) { return s + "y", nil })
	for key, text := range got.Texts() {
		if text != "xy" {
			t.Errorf("%s: got %q, want it filled in", key, text)
		}
	}
	if len(got.Texts()) != 10 || got.Field != "x" || err != nil {
		t.Errorf("got %+v, %v", got, err)
	}
	for key, text := range call.Texts() {
		if text != "x" {
			t.Errorf("%s of the original was changed to %q", key, text)
		}
	}
	wrong := errors.New("wrong")
	if _, err := call.Filled(func(string) (string, error) { return "", wrong }); !errors.Is(err, wrong) {
		t.Errorf("got %v, want the error", err)
	}
}
