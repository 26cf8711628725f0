package fakes

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	stripe "github.com/stripe/stripe-go/v84/webhook"

	"github.com/rehearse-dev/rehearse/harness/webhook"
)

// webhookLibrary checks deliveries as a service does that uses it, with the one
// secret that it holds and nothing configured.
type webhookLibrary struct {
	name, module string
	// check says why a delivery is refused. Its errors hold no secret.
	check func(secret string, h http.Header, body []byte) error
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
		check: func(secret string, h http.Header, body []byte) error {
			_, err := stripe.ConstructEvent(body, h.Get(webhook.HeaderStripe), secret)
			return err
		},
		matches: func(secret string, h http.Header, body []byte) bool {
			return stripe.ValidatePayloadIgnoringTolerance(body, h.Get(webhook.HeaderStripe), secret) == nil
		},
	},
	"standard-webhooks": {
		name: "standard-webhooks", module: "github.com/standard-webhooks/standard-webhooks/libraries",
		check: func(secret string, h http.Header, body []byte) error {
			wh, err := standardwebhooks.NewWebhook(secret)
			if err != nil {
				return errors.New("its secret is not base64") // the library's own error quotes where
			}
			return wh.Verify(body, h)
		},
		matches: func(secret string, h http.Header, body []byte) bool {
			wh, err := standardwebhooks.NewWebhook(secret)
			return err == nil && wh.VerifyIgnoringTimestamp(body, h) == nil
		},
	},
	// docs.github.com, "Validating webhook deliveries".
	"github": ofMAC("X-Hub-Signature-256 as GitHub documents it", webhook.HeaderGitHub, func(value string) ([]byte, error) {
		digest, prefixed := strings.CutPrefix(value, "sha256=")
		if !prefixed {
			return nil, errors.New("it does not begin with sha256=")
		}
		return hex.DecodeString(digest)
	}),
	// shopify.dev, "Deliver webhooks through HTTPS", "Verify the webhook".
	"shopify": ofMAC("X-Shopify-Hmac-Sha256 as Shopify documents it", webhook.HeaderShopify, base64.StdEncoding.DecodeString),
}

// ofMAC compares the HMAC-SHA256 of the body with that of a header.
func ofMAC(name, header string, decode func(string) ([]byte, error)) webhookLibrary {
	check := func(secret string, h http.Header, body []byte) error {
		got, err := decode(h.Get(header))
		if err != nil {
			return fmt.Errorf("read %s: %w", header, err)
		}
		sum := hmac.New(sha256.New, []byte(secret))
		sum.Write(body)
		if !hmac.Equal(got, sum.Sum(nil)) {
			return errors.New("the signature does not match")
		}
		return nil
	}
	return webhookLibrary{
		name: name, check: check,
		matches: func(secret string, h http.Header, body []byte) bool { return check(secret, h, body) == nil },
	}
}

// describe names the library and its version.
func (l webhookLibrary) describe() string {
	if l.module == "" {
		return l.name
	}
	return l.name + " " + moduleVersion(l.module)
}
