package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/harness/store"
)

// storeTokenVariable is the environment variable in which `rehearse seed` finds
// the token of the store: never an argument, which others can see.
const storeTokenVariable = "REHEARSE_STORE_TOKEN"

// seedTimeout bounds all that seed does.
const seedTimeout = 30 * time.Second

// seedCommand is `rehearse seed URL PATH`: it publishes a first signing key for
// the services of docker-compose.yml, in the form that the issuer reads.
func seedCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "seed URL PATH",
		Short: "Publish a first signing key for services that are explored by hand",
		Long: "Publish a first ES256 signing key at PATH of the mount rehearse-explore, made fresh in\n" +
			"the store at URL, whose token is in " + storeTokenVariable + ". Where that mount is there already\n" +
			"nothing is changed.",
		Args:   arguments(cobra.ExactArgs(2)),
		Hidden: true,
		RunE: func(command *cobra.Command, args []string) error {
			said, err := seed(command.Context(), args[0], os.Getenv(storeTokenVariable), args[1])
			if err != nil {
				return fmt.Errorf("seed: %w", err)
			}
			_, err = fmt.Fprintln(command.OutOrStdout(), said)
			return err
		},
	}
}

// seed publishes the key, and describes what it did without the value.
func seed(ctx context.Context, url, token, path string) (string, error) {
	if token == "" {
		return "", fmt.Errorf("%s is empty: it must hold the token of the store", storeTokenVariable)
	}
	ctx, cancel := context.WithTimeout(ctx, seedTimeout)
	defer cancel()
	s, err := store.Open(ctx, store.Server{URL: url, Token: token}, "explore")
	if errors.Is(err, store.ErrInUse) {
		return "there is a mount rehearse-explore: left as it is", nil
	}
	if err != nil {
		return "", err
	}
	kid, err := publishFirst(ctx, s, path)
	if err != nil {
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), seedTimeout)
		defer cancel()
		return "", errors.Join(err, s.Close(clean))
	}
	if err := s.Leave(ctx); err != nil {
		return "", err
	}
	return "published signing key " + kid + " at " + s.Path(path), nil
}

// publishFirst makes a key and writes it in the form that the issuer reads.
func publishFirst(ctx context.Context, s *store.Store, path string) (kid string, err error) {
	key, err := firstKey()
	if err != nil {
		return "", err
	}
	document := map[string]any{"emit": key.KeyID, "keys": []any{map[string]any{"kid": key.KeyID, "alg": key.Algorithm, "jwk": key}}}
	if _, err := s.Put(ctx, path, document, 0); err != nil {
		return "", err
	}
	return key.KeyID, nil
}

// firstKey makes an ES256 key that is named by its thumbprint (RFC 7638).
func firstKey() (*jose.JSONWebKey, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	key := &jose.JSONWebKey{Key: private, Algorithm: string(jose.ES256), Use: "sig"}
	thumbprint, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("name signing key: %w", err)
	}
	key.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	return key, nil
}
