package webhook

import (
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	stripe "github.com/stripe/stripe-go/v84/webhook"
)

func scheme(t *testing.T, name string) Scheme {
	t.Helper()
	s, err := Of(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Each vector is one that the scheme's own documentation or library has.
func TestSignVectors(t *testing.T) {
	tests := []struct {
		name, scheme, secret string
		message              Message
		header, want         string
	}{
		{
			// TestWebhookSign of standard-webhooks/libraries v0.0.1.
			"standard-webhooks", "standard-webhooks", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
			Message{ID: "msg_p5jXN8AQM9LWM0D4loKWxJek", At: time.Unix(1614265330, 0), Body: []byte(`{"test": 2432232314}`)},
			HeaderStandard, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
		},
		{
			// docs.github.com, "Validating webhook deliveries", "Testing the webhook payload validation".
			"github", "github", "It's a Secret to Everybody", Message{Body: []byte("Hello, World!")},
			HeaderGitHub, "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
		},
		{
			// docs.slack.dev, "Verifying requests from Slack".
			"slack", "slack", "8f742231b10e8888abcd99yyyzzz85a5",
			Message{At: time.Unix(1531420618, 0), Body: []byte("token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow" +
				"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=" +
				"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN" +
				"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c")},
			HeaderSlack, "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
		},
		{
			// What the library's own ComputeSignature makes.
			"stripe", "stripe", "whsec_test_secret", Message{At: time.Unix(1495999758, 0), Body: []byte(`{"id": "evt_test_webhook"}`)},
			HeaderStripe, "t=1495999758,v1=" + hex.EncodeToString(
				stripe.ComputeSignature(time.Unix(1495999758, 0), []byte(`{"id": "evt_test_webhook"}`), "whsec_test_secret")),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := http.Header{}
			scheme(t, tt.scheme).Sign(h, tt.message, tt.secret)
			if got := h.Get(tt.header); got != tt.want {
				t.Errorf("%s: got %s, want %s", tt.header, got, tt.want)
			}
		})
	}
}

// What is signed with two secrets is taken by a library that holds either one,
// and what is signed with one is not taken by the holder of the other.
func TestSignWithSeveral(t *testing.T) {
	checks := map[string]func(secret string, body []byte, h http.Header) error{
		"stripe": func(secret string, body []byte, h http.Header) error {
			return stripe.ValidatePayload(body, h.Get(HeaderStripe), secret)
		},
		"standard-webhooks": func(secret string, body []byte, h http.Header) error {
			wh, err := standardwebhooks.NewWebhook(secret)
			if err != nil {
				return err
			}
			return wh.Verify(body, h)
		},
	}
	for name, check := range checks {
		t.Run(name, func(t *testing.T) {
			s := scheme(t, name)
			var secrets []string
			for range 2 {
				secret, err := s.NewSecret()
				if err != nil {
					t.Fatal(err)
				}
				secrets = append(secrets, secret)
			}
			m := Message{ID: "msg_1", At: time.Now(), Body: []byte(`{"a":1}`)}
			both, one := http.Header{}, http.Header{}
			s.Sign(both, m, secrets...)
			s.Sign(one, m, secrets[0])
			for i, secret := range secrets {
				if err := check(secret, m.Body, both); err != nil {
					t.Errorf("signed with both, shown to the holder of number %d: %v, want it taken", i+1, err)
				}
			}
			if err := check(secrets[0], m.Body, one); err != nil {
				t.Errorf("signed with the first, shown to its holder: %v, want it taken", err)
			}
			if err := check(secrets[1], m.Body, one); err == nil {
				t.Error("signed with the first, shown to the holder of the second: taken, want it refused")
			}
			if err := check(secrets[0], []byte(`{"a":2}`), both); err == nil {
				t.Error("with another body: taken, want it refused")
			}
		})
	}
}

// The schemes with room for one signature write that of the first secret,
// in the form in which the sender's documentation has it.
func TestSignWithOne(t *testing.T) {
	for name, header := range map[string]string{"github": HeaderGitHub, "shopify": HeaderShopify, "slack": HeaderSlack} {
		both, one := http.Header{}, http.Header{}
		s, m := scheme(t, name), Message{ID: "1", Body: []byte("{}")}
		s.Sign(both, m, "first", "second")
		s.Sign(one, m, "first")
		if both.Get(header) == "" || both.Get(header) != one.Get(header) || len(both.Values(header)) != 1 {
			t.Errorf("%s: got %q with two secrets and %q with the first, want the same one", name, both.Values(header), one.Get(header))
		}
	}
}

func TestNewSecret(t *testing.T) {
	for _, name := range Names() {
		s := scheme(t, name)
		one, err := s.NewSecret()
		if err != nil {
			t.Fatal(err)
		}
		two, err := s.NewSecret()
		if err != nil {
			t.Fatal(err)
		}
		if one == two || len(s.Bare(one)) < secretBytes || !strings.HasSuffix(one, s.Bare(one)) {
			t.Errorf("%s: got secrets of %d and %d characters, want two that differ and hold %d bytes", name, len(one), len(two), secretBytes)
		}
	}
}

func TestOfUnknown(t *testing.T) {
	_, err := Of("twilio")
	if want := `find webhook scheme "twilio": want one of github, shopify, slack, standard-webhooks, stripe`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A timestamp is that of the attempt, in whole seconds.
func TestTimestamps(t *testing.T) {
	at := time.Unix(1700000000, 999_000_000)
	h := http.Header{}
	scheme(t, "standard-webhooks").Sign(h, Message{ID: "m", At: at}, "whsec_AAAA")
	if got := h.Get(HeaderStandardAt); got != strconv.FormatInt(at.Unix(), 10) {
		t.Errorf("got %s, want %d", got, at.Unix())
	}
}
