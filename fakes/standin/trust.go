package standin

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/rehearse-dev/rehearse/harness/certs"
	"github.com/rehearse-dev/rehearse/harness/contract"
)

// trusting is what calls of this process trust beyond the system; nil: nothing.
var trusting *tls.Config

// trustAlso has all calls of this process trust an authority beside those of the system,
// and show a certificate of it, by certs.Trust as JSON; for a stand-in that is a process of
// its own, before it serves.
func trustAlso(given string) error {
	if given == "" {
		return nil
	}
	var trust certs.Trust
	if err := json.Unmarshal([]byte(given), &trust); err != nil {
		return errors.New("read " + contract.TrustVariable + ": it is not JSON") // and may have a key in it
	}
	config, err := trust.Config()
	if err != nil {
		return fmt.Errorf("read %s: %w", contract.TrustVariable, err)
	}
	trusting = config
	http.DefaultTransport.(*http.Transport).TLSClientConfig = config
	return nil
}

// NewTransport is one that goes past http.DefaultTransport, and trusts the same.
func NewTransport() *http.Transport { return &http.Transport{TLSClientConfig: trusting.Clone()} }
