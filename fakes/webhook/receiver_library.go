package webhook

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	stripe "github.com/stripe/stripe-go/v84/webhook"

	"github.com/rehearse-dev/rehearse/fakes/standin"
	"github.com/rehearse-dev/rehearse/harness/webhook"
)

// webhookLibrary checks deliveries as a service does that uses it, with the one
// secret that it holds and nothing configured.
type webhookLibrary struct {
	name, module string
	// check says why a delivery is refused where the clock is ahead so much (less
	// than 0: behind). Its errors hold no secret.
	check func(secret string, h http.Header, body []byte, ahead time.Duration) error
	// matches reports whether the signature is right, whatever its age.
	matches func(secret string, h http.Header, body []byte) bool
}

// webhookLibraries are what receivers check with, by scheme. The tolerances
// stay as the libraries have them, whatever the speed of a rehearsal: what is
// held against them is the skew of clocks and the time on the way, and neither
// is scaled. stripe-go v84.4.1 refuses what is older than 300 s and takes what
// is from the future; standard-webhooks v0.0.1 refuses both beyond 5 minutes.
var webhookLibraries = map[string]webhookLibrary{
	"stripe": {
		name: "stripe-go", module: "github.com/stripe/stripe-go/v84",
		check: func(secret string, h http.Header, body []byte, ahead time.Duration) error {
			// It holds an age against the tolerance: to a clock that is ahead, a
			// signature is that much older. 0 would be its default.
			tolerance := cmp.Or(stripe.DefaultTolerance-ahead, -1)
			_, err := stripe.ConstructEventWithTolerance(body, h.Get(webhook.HeaderStripe), secret, tolerance)
			return err
		},
		matches: func(secret string, h http.Header, body []byte) bool {
			return stripe.ValidatePayloadIgnoringTolerance(body, h.Get(webhook.HeaderStripe), secret) == nil
		},
	},
	"standard-webhooks": {
		name: "standard-webhooks", module: "github.com/standard-webhooks/standard-webhooks/libraries",
		check: func(secret string, h http.Header, body []byte, ahead time.Duration) error {
			wh, err := standardwebhooks.NewWebhook(secret)
			if err != nil {
				return errors.New("its secret is not base64") // the library's own error quotes where
			}
			if ahead != 0 {
				if h, err = asOf(wh, h, body, ahead); err != nil {
					return err
				}
			}
			return wh.Verify(body, h)
		},
		matches: func(secret string, h http.Header, body []byte) bool {
			wh, err := standardwebhooks.NewWebhook(secret)
			return err == nil && wh.VerifyIgnoringTimestamp(body, h) == nil
		},
	},
	// docs.github.com, "Validating webhook deliveries".
	"github": ofMAC("X-Hub-Signature-256 as GitHub documents it", webhook.HeaderGitHub, hexAfter("sha256=")),
	// shopify.dev, "Deliver webhooks through HTTPS", "Verify the webhook".
	"shopify": ofMAC("X-Shopify-Hmac-Sha256 as Shopify documents it", webhook.HeaderShopify, base64.StdEncoding.DecodeString),
	"slack":   ofSlack(),
}

// asOf is a delivery of Standard Webhooks, whose signature is right, as it is to
// a clock that is ahead: that much older. The library has no clock that could be set.
func asOf(wh *standardwebhooks.Webhook, h http.Header, body []byte, ahead time.Duration) (http.Header, error) {
	if err := wh.VerifyIgnoringTimestamp(body, h); err != nil {
		return nil, err
	}
	seconds, err := strconv.ParseInt(h.Get(webhook.HeaderStandardAt), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", webhook.HeaderStandardAt, err)
	}
	at := time.Unix(seconds, 0).Add(-ahead)
	signature, err := wh.Sign(h.Get(webhook.HeaderStandardID), at, body)
	if err != nil {
		return nil, fmt.Errorf("age the delivery: %w", err)
	}
	h = h.Clone()
	h.Set(webhook.HeaderStandardAt, strconv.FormatInt(at.Unix(), 10))
	h.Set(webhook.HeaderStandard, signature)
	return h, nil
}

// ofMAC compares the HMAC-SHA256 of the body with that of a header.
func ofMAC(name, header string, decode func(string) ([]byte, error)) webhookLibrary {
	check := matchesMAC(header, decode, func(http.Header) string { return "" })
	return webhookLibrary{
		name: name, check: func(secret string, h http.Header, body []byte, _ time.Duration) error { return check(secret, h, body) },
		matches: func(secret string, h http.Header, body []byte) bool { return check(secret, h, body) == nil },
	}
}

// slackTolerance is that of Slack's own example, either way.
const slackTolerance = 5 * time.Minute

// ofSlack checks as the example of docs.slack.dev, "Verifying requests from Slack", does.
func ofSlack() webhookLibrary {
	check := matchesMAC(webhook.HeaderSlack, hexAfter("v0="), func(h http.Header) string { return "v0:" + h.Get(webhook.HeaderSlackAt) + ":" })
	return webhookLibrary{
		name: "X-Slack-Signature as Slack documents it",
		check: func(secret string, h http.Header, body []byte, ahead time.Duration) error {
			seconds, err := strconv.ParseInt(h.Get(webhook.HeaderSlackAt), 10, 64)
			if err != nil {
				return fmt.Errorf("read %s: %w", webhook.HeaderSlackAt, err)
			}
			if age := time.Since(time.Unix(seconds, 0)) + ahead; age.Abs() > slackTolerance {
				return errors.New("the timestamp is not within five minutes")
			}
			return check(secret, h, body)
		},
		matches: func(secret string, h http.Header, body []byte) bool { return check(secret, h, body) == nil },
	}
}

// hexAfter reads hexadecimal digits after a prefix.
func hexAfter(prefix string) func(string) ([]byte, error) {
	return func(value string) ([]byte, error) {
		digest, prefixed := strings.CutPrefix(value, prefix)
		if !prefixed {
			return nil, errors.New("it does not begin with " + prefix)
		}
		return hex.DecodeString(digest)
	}
}

// matchesMAC compares the HMAC-SHA256 of a body, after what comes before it, with that of a header.
func matchesMAC(header string, decode func(string) ([]byte, error), before func(http.Header) string) func(secret string, h http.Header, body []byte) error {
	return func(secret string, h http.Header, body []byte) error {
		got, err := decode(h.Get(header))
		if err != nil {
			return fmt.Errorf("read %s: %w", header, err)
		}
		sum := hmac.New(sha256.New, []byte(secret))
		sum.Write([]byte(before(h)))
		sum.Write(body)
		if !hmac.Equal(got, sum.Sum(nil)) {
			return errors.New("the signature does not match")
		}
		return nil
	}
}

// describe names the library and its version.
func (l webhookLibrary) describe() string {
	if l.module == "" {
		return l.name
	}
	return l.name + " " + standin.ModuleVersion(l.module)
}
