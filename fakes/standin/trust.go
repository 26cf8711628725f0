package standin

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/certs"
	"github.com/rehearse-dev/rehearse/harness/contract"
)

// adopt has a stand-in that is a process of its own call by TLS with what it was given,
// certs.Trust as JSON; "": nothing was. What it returns is how it is to speak TLS where it
// is called; nil: it does not.
func adopt(given string) (*tls.Config, error) {
	if given == "" {
		return nil, nil
	}
	var trust certs.Trust
	if err := json.Unmarshal([]byte(given), &trust); err != nil {
		return nil, errors.New("read " + contract.TrustVariable + ": it is not JSON") // and may have a key in it
	}
	if err := certs.Adopt(trust); err != nil {
		return nil, fmt.Errorf("read %s: %w", contract.TrustVariable, err)
	}
	if !trust.Serve {
		return nil, nil
	}
	server, err := trust.Server()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", contract.TrustVariable, err)
	}
	return server, nil
}
