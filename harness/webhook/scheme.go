// Package webhook has the schemes by which senders of webhooks sign: the
// headers that each writes, and what each does while two secrets are there.
// Checking is left to the libraries that receivers really use.
package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Headers that say what a signature does not: a rehearsal counts by
// credential, and no scheme has a place for its identifier. Receivers take them
// for their logs and never for a decision.
const (
	// HeaderIdentifier is the identifier of the credential that a delivery was
	// signed with; where there are several, of the emitted one.
	HeaderIdentifier = "Rehearse-Identifier"
	// HeaderAttempt is 1, and one more for every time that the same delivery was
	// refused before.
	HeaderAttempt = "Rehearse-Attempt"
)

// The headers of the schemes.
const (
	HeaderStripe     = "Stripe-Signature"
	HeaderStandardID = "Webhook-Id"
	HeaderStandardAt = "Webhook-Timestamp"
	HeaderStandard   = "Webhook-Signature"
	HeaderGitHubID   = "X-GitHub-Delivery"
	HeaderGitHub     = "X-Hub-Signature-256"
	HeaderShopifyID  = "X-Shopify-Webhook-Id"
	HeaderShopify    = "X-Shopify-Hmac-Sha256"
	HeaderSlackAt    = "X-Slack-Request-Timestamp"
	HeaderSlack      = "X-Slack-Signature"
)

// secretBytes is the entropy of a secret, 256 bits: Standard Webhooks wants 24
// to 64 bytes.
const secretBytes = 32

// Message is one event as it is delivered.
type Message struct {
	ID   string
	At   time.Time // of the attempt, by the sender's clock
	Body []byte
}

// Scheme is how a sender signs.
type Scheme struct {
	Name string
	// Several says that it signs with every secret that is accepted, so that a
	// receiver who holds either of two takes the delivery.
	Several bool
	// Anew says that every attempt is signed anew. Otherwise a delivery keeps the
	// signature of its first attempt for as long as it is tried.
	Anew bool
	// Oldest says that it signs with the oldest secret that was not revoked at
	// the sender: only to revoke the old one makes it emit the new one.
	Oldest bool

	prefix string
	encode func(secret []byte) string
	sign   func(h http.Header, m Message, secrets []string)
}

// The schemes by the name that a page says as its format.type.
var schemes = map[string]Scheme{
	// docs.stripe.com/webhooks: "If Stripe retries an event, we generate a new
	// signature and timestamp for the new delivery attempt"; while a secret is
	// rolled "we generate one signature for each secret".
	"stripe": {Name: "stripe", Several: true, Anew: true, prefix: "whsec_", encode: hex.EncodeToString, sign: signStripe},
	// standard-webhooks.md 1.0.0: the signature is a space-delimited list "to
	// support zero downtime secret rotation", its timestamp that of the attempt.
	"standard-webhooks": {Name: "standard-webhooks", Several: true, Anew: true, prefix: "whsec_", encode: base64.StdEncoding.EncodeToString, sign: signStandard},
	// docs.github.com, "Validating webhook deliveries": one secret, one signature.
	// GitHub delivers again only when it is asked to, and does not say with which
	// secret a delivery of before is signed then: the worse is taken.
	"github": {Name: "github", encode: hex.EncodeToString, sign: signGitHub},
	// shopify.dev, "Rotate your app's client secret": "the oldest client secret
	// that hasn't been revoked"; deliveries signed with the revoked one were seen
	// for some 30 minutes (Shopify/shopify-app-js#3183).
	"shopify": {Name: "shopify", Oldest: true, prefix: "shpss_", encode: hex.EncodeToString, sign: signShopify},
	// docs.slack.dev, "Verifying requests from Slack": one signing secret, one
	// signature over version, timestamp and body. The timestamp is that of the
	// request, and its example refuses what is older than five minutes, so that an
	// attempt that was not signed anew would be of no use.
	"slack": {Name: "slack", Anew: true, encode: hex.EncodeToString, sign: signSlack},
}

// Names are those of the schemes, sorted.
func Names() []string { return slices.Sorted(maps.Keys(schemes)) }

// Of is the scheme with a name.
func Of(name string) (Scheme, error) {
	s, known := schemes[name]
	if !known {
		return Scheme{}, fmt.Errorf("find webhook scheme %q: want one of %s", name, strings.Join(Names(), ", "))
	}
	return s, nil
}

// NewSecret makes a secret in the scheme's own form.
func (s Scheme) NewSecret() (string, error) {
	value := make([]byte, secretBytes)
	if _, err := rand.Read(value); err != nil {
		return "", fmt.Errorf("make a webhook secret: %w", err)
	}
	return s.prefix + s.encode(value), nil
}

// Bare is a secret without the prefix that says what it is: a form in which it
// could leak.
func (s Scheme) Bare(secret string) string { return strings.TrimPrefix(secret, s.prefix) }

// Sign writes the headers of one attempt, signed with each of the secrets in
// order; a scheme that has room for one signature takes the first.
func (s Scheme) Sign(h http.Header, m Message, secrets ...string) {
	if !s.Several && len(secrets) > 1 {
		secrets = secrets[:1]
	}
	s.sign(h, m, secrets)
}

func mac(key []byte, parts ...[]byte) []byte {
	sum := hmac.New(sha256.New, key)
	for _, part := range parts {
		sum.Write(part)
	}
	return sum.Sum(nil)
}

// signStripe signs "timestamp.body"; the key is the secret as it is shown, with
// its prefix.
func signStripe(h http.Header, m Message, secrets []string) {
	at := strconv.FormatInt(m.At.Unix(), 10)
	header := "t=" + at
	for _, secret := range secrets {
		header += ",v1=" + hex.EncodeToString(mac([]byte(secret), []byte(at+"."), m.Body))
	}
	h.Set(HeaderStripe, header)
}

// signStandard signs "id.timestamp.body"; the key is what the secret encodes.
func signStandard(h http.Header, m Message, secrets []string) {
	at := strconv.FormatInt(m.At.Unix(), 10)
	var signatures []string
	for _, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err != nil {
			continue // no key: a signature with it would be none that anybody takes
		}
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac(key, []byte(m.ID+"."+at+"."), m.Body)))
	}
	h.Set(HeaderStandardID, m.ID)
	h.Set(HeaderStandardAt, at)
	h.Set(HeaderStandard, strings.Join(signatures, " "))
}

// signGitHub signs the body and nothing else: a signature does not age.
func signGitHub(h http.Header, m Message, secrets []string) {
	h.Set(HeaderGitHubID, m.ID)
	for _, secret := range secrets {
		h.Set(HeaderGitHub, "sha256="+hex.EncodeToString(mac([]byte(secret), m.Body)))
	}
}

// signShopify signs the body with the client secret as it is.
func signShopify(h http.Header, m Message, secrets []string) {
	h.Set(HeaderShopifyID, m.ID)
	for _, secret := range secrets {
		h.Set(HeaderShopify, base64.StdEncoding.EncodeToString(mac([]byte(secret), m.Body)))
	}
}

// signSlack signs "v0:timestamp:body" with the signing secret as it is.
func signSlack(h http.Header, m Message, secrets []string) {
	at := strconv.FormatInt(m.At.Unix(), 10)
	h.Set(HeaderSlackAt, at)
	for _, secret := range secrets {
		h.Set(HeaderSlack, "v0="+hex.EncodeToString(mac([]byte(secret), []byte("v0:"+at+":"), m.Body)))
	}
}
