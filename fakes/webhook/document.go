package webhook

import (
	"context"
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/fakes/standin"
)

// webhookSecret is one secret of webhooks.
type webhookSecret struct{ tag, value string }

// webhookDocument is what senders and receivers of webhooks read: the accepted
// secrets from the oldest to the newest, and which of them is emitted.
type webhookDocument struct {
	Emit string `json:"emit"`
	Keys []struct {
		Tag   string `json:"tag"`
		Value string `json:"value"`
		// Revoked says that the secret was revoked at the sender, and that
		// receivers take it still.
		Revoked bool `json:"revoked"`
	} `json:"keys"`
}

// read reads the document once, with the secrets in it, the emitted one first.
func (d *webhookDocument) read(ctx context.Context, source *standin.PublishedSecret) (version int, secrets []webhookSecret, err error) {
	if version, err = source.Read(ctx, d); err != nil {
		return 0, nil, err
	}
	there := false
	for _, key := range d.Keys {
		there = there || key.Tag == d.Emit && key.Value != ""
		secrets = append(secrets, webhookSecret{key.Tag, key.Value})
	}
	if !there {
		return 0, nil, fmt.Errorf("load secrets: emit names %q: want a secret with that tag and a value among %q", d.Emit, tagsOf(secrets))
	}
	slices.SortStableFunc(secrets, func(a, b webhookSecret) int {
		switch d.Emit {
		case a.tag:
			return -1
		case b.tag:
			return 1
		}
		return 0
	})
	return version, secrets, nil
}

func tagsOf(secrets []webhookSecret) []string {
	tags := make([]string, 0, len(secrets))
	for _, s := range secrets {
		tags = append(tags, s.tag)
	}
	return tags
}
