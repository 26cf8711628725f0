package observe

import (
	"context"
	"errors"
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// errNoKid says that a token does not say by which key it is signed.
var errNoKid = errors.New("ask for a token: its token has no kid, by which its credential would be known")

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
