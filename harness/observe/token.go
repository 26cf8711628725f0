package observe

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// errNoKid says that a token does not say by which key it is signed.
var errNoKid = errors.New("its token has no kid, by which its credential would be known")

// TokenKid asks a token endpoint for a token (RFC 6749 §4.4.2), and returns the
// kid that it is signed under. Nothing else of the token is kept, and an error
// holds nothing of it.
func TokenKid(ctx context.Context, endpoint string, form url.Values) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return "", fmt.Errorf("ask for a token: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("User-Agent", Agent)
	resp, err := looker.Do(req)
	if err != nil {
		return "", fmt.Errorf("ask for a token: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("ask for a token: answered %s", resp.Status)
	}
	var answer struct {
		Token string `json:"access_token"`
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil || json.Unmarshal(body, &answer) != nil {
		return "", errors.New("ask for a token: the answer is none (RFC 6749 §5.1)")
	}
	head, _, _ := strings.Cut(answer.Token, ".")
	decoded, err := base64.RawURLEncoding.DecodeString(head)
	var header struct {
		Kid string `json:"kid"`
	}
	if err != nil || json.Unmarshal(decoded, &header) != nil || header.Kid == "" {
		return "", fmt.Errorf("ask for a token: %w", errNoKid)
	}
	return header.Kid, nil
}
