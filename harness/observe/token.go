package observe

import (
	"context"
	"errors"
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// errNoKid says that a token does not say by which key it is signed.
var errNoKid = errors.New("its token has no kid, by which its credential would be known")

// Token asks a token endpoint at a base address for a token. An error holds nothing of it.
func Token(ctx context.Context, base string, call contract.TokenCall) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	answer, err := call.Ask(ctx, looker, base, Agent)
	if err != nil {
		return "", fmt.Errorf("ask for a token: %w", err)
	}
	return answer.Token, nil
}

// TokenKid asks for a token as Token does, and returns the kid that it is signed under.
// Nothing else of the token is kept.
func TokenKid(ctx context.Context, base string, call contract.TokenCall) (string, error) {
	token, err := Token(ctx, base, call)
	if err != nil {
		return "", err
	}
	kid := contract.KidOf(token)
	if kid == "" {
		return "", fmt.Errorf("ask for a token: %w", errNoKid)
	}
	return kid, nil
}
