package standin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	vault "github.com/hashicorp/vault/api"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// readDeadline bounds one read of the store.
const readDeadline = 10 * time.Second

func checkStored(c contract.Stored) error {
	return Require("store.url", c.URL, "store.token", c.Token, "store.path", c.Path)
}

// storedDocument is a document in a KV v2 store.
type storedDocument struct {
	client *vault.Client
	path   string
}

var _ document = (*storedDocument)(nil)

func newStoredDocument(c contract.Stored) (*storedDocument, error) {
	client, err := vault.NewClient(&vault.Config{
		Address: c.URL,
		// No proxy from the environment: the store is inside of the run.
		HttpClient: &http.Client{Transport: &http.Transport{}},
	})
	if err != nil {
		return nil, fmt.Errorf("make client of the store: %w", err)
	}
	client.SetToken(c.Token)
	client.ClearNamespace()
	return &storedDocument{client: client, path: c.Path}, nil
}

func (d *storedDocument) place() string { return d.path }

// read reads the newest version.
func (d *storedDocument) read(ctx context.Context) (content []byte, version int, err error) {
	ctx, cancel := context.WithTimeout(ctx, readDeadline)
	defer cancel()
	resp, err := d.client.Logical().ReadRawWithContext(ctx, d.path)
	if resp != nil {
		defer resp.Body.Close()
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read %s: %w", d.path, err)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxDocument))
	if err != nil {
		return nil, 0, fmt.Errorf("read %s: %w", d.path, err)
	}
	var answer struct {
		Data struct {
			Data     json.RawMessage `json:"data"`
			Metadata struct {
				Version int `json:"version"`
			} `json:"metadata"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, 0, fmt.Errorf("read %s: parse answer: %w", d.path, err)
	}
	return answer.Data.Data, answer.Data.Metadata.Version, nil
}
