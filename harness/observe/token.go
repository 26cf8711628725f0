package observe

import (
	"context"
	"errors"
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// errNoKid says that a token does not say by which key it is signed.
var errNoKid = errors.New("its token has no kid, by which its credential would be known")

// TokenKid asks a token endpoint at a base address for a token, and returns the kid
// that it is signed under. Nothing else of the token is kept, and an error holds
// nothing of it.
func TokenKid(ctx context.Context, base string, call contract.TokenCall) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	answer, err := call.Ask(ctx, looker, base, Agent)
	if err != nil {
		return "", fmt.Errorf("ask for a token: %w", err)
	}
	kid := contract.KidOf(answer.Token)
	if kid == "" {
		return "", fmt.Errorf("ask for a token: %w", errNoKid)
	}
	return kid, nil
}
