package standin

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/certs"
	"github.com/rehearse-dev/rehearse/harness/contract"
)

// adopt has a stand-in that is a process of its own call by TLS with what it was given,
// certs.Trust as JSON; "": nothing was.
func adopt(given string) error {
	if given == "" {
		return nil
	}
	var trust certs.Trust
	if err := json.Unmarshal([]byte(given), &trust); err != nil {
		return errors.New("read " + contract.TrustVariable + ": it is not JSON") // and may have a key in it
	}
	if err := certs.Adopt(trust); err != nil {
		return fmt.Errorf("read %s: %w", contract.TrustVariable, err)
	}
	return nil
}
