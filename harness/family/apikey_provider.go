package family

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/protocol"
)

// ErrNoSlot says that a provider has as many keys as it holds.
var ErrNoSlot = errors.New("no slot is free")

// adminTimeout bounds one call of a provider's admin API.
const adminTimeout = 10 * time.Second

// providerAdmin is the admin API of one provider, as fakes.ServeProvider has it.
type providerAdmin struct {
	name, url, token string
}

// do takes a step. A key that is not there is no trouble where it is to go.
func (p providerAdmin) do(ctx context.Context, step keyring.Step, c credential) error {
	if p.url == "" || p.token == "" {
		return fmt.Errorf("%s key %s at %s: it was not started", step, c.identifier, p.name)
	}
	switch step {
	case keyring.Accept:
		return p.accept(ctx, c)
	case keyring.Restore:
		return p.call(ctx, http.MethodPost, c.identifier, "/enable", nil, http.StatusOK)
	case keyring.Revoke:
		return p.call(ctx, http.MethodPost, c.identifier, "/disable", nil, http.StatusOK)
	case keyring.Withdraw: // perhaps of an accept that did not get so far
		return p.call(ctx, http.MethodPost, c.identifier, "/disable", nil, http.StatusOK, http.StatusNotFound)
	case keyring.Destroy:
		return p.call(ctx, http.MethodDelete, c.identifier, "", nil, http.StatusOK, http.StatusNotFound)
	}
	return nil // who emits which key is not the provider's business
}

// enabled are the tags of the keys that it takes.
func (p providerAdmin) enabled(ctx context.Context) ([]string, error) {
	keys, err := p.list(ctx)
	if err != nil {
		return nil, err
	}
	tags := []string{}
	for _, key := range keys {
		if key.Enabled {
			tags = append(tags, key.Tag)
		}
	}
	return tags, nil
}

// listedKey is a key as the provider lists it.
type listedKey struct {
	Tag     string `json:"tag"`
	Enabled bool   `json:"enabled"`
}

// list are all keys that hold a slot.
func (p providerAdmin) list(ctx context.Context) ([]listedKey, error) {
	if p.url == "" || p.token == "" {
		return nil, fmt.Errorf("list the keys at %s: it was not started", p.name)
	}
	var answer struct {
		Keys []listedKey `json:"keys"`
	}
	err := p.ask(ctx, http.MethodGet, "", nil, &answer, http.StatusOK)
	return answer.Keys, err
}

// accept makes a key. Where there is no room for it, its error says who has it.
func (p providerAdmin) accept(ctx context.Context, c credential) error {
	err := p.call(ctx, http.MethodPut, c.identifier, "", map[string]any{"value": c.entry["value"]}, http.StatusOK, http.StatusCreated)
	if !errors.Is(err, ErrNoSlot) {
		return err
	}
	keys, listing := p.list(ctx)
	if listing != nil {
		return errors.Join(err, listing)
	}
	var held []string
	for _, key := range keys {
		held = append(held, key.Tag)
	}
	return fmt.Errorf("%w: %s hold them all, a disabled key too; delete one that nobody needs", err, strings.Join(held, " and "))
}

// call changes one key.
func (p providerAdmin) call(ctx context.Context, method, tag, action string, body map[string]any, want ...int) error {
	return p.ask(ctx, method, "/"+url.PathEscape(tag)+action, body, nil, want...)
}

// ask makes one request and reads the answer, unless nobody wants it (nil). Its
// error has the status and nothing of the answer, which may quote what was sent.
func (p providerAdmin) ask(ctx context.Context, method, path string, body map[string]any, answer any, want ...int) error {
	fail := func(err error) error { return fmt.Errorf("%s keys%s at %s: %w", method, path, p.name, err) }
	encoded := []byte{}
	if body != nil {
		var err error
		if encoded, err = json.Marshal(body); err != nil {
			return fail(err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, p.url+"/admin/keys"+path, bytes.NewReader(encoded))
	if err != nil {
		return fail(err)
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	req.Header.Set("User-Agent", ProbeAgent)
	resp, err := probeClients[protocol.HTTP1].Do(req)
	if err != nil {
		return fail(err)
	}
	defer resp.Body.Close()
	limited := io.LimitReader(resp.Body, probeAnswer)
	switch {
	case slices.Contains(want, resp.StatusCode) && answer != nil:
		if err := json.NewDecoder(limited).Decode(answer); err != nil {
			return fail(fmt.Errorf("answered what is no list: %w", err))
		}
	case resp.StatusCode == http.StatusConflict:
		var why struct{ Code string }
		_ = json.NewDecoder(limited).Decode(&why) // without a code it is the other one
		if why.Code == contract.CodeNoSlot {
			return fail(fmt.Errorf("answered %s: %w", resp.Status, ErrNoSlot))
		}
		return fail(fmt.Errorf("answered %s: another value has this tag", resp.Status))
	case !slices.Contains(want, resp.StatusCode):
		return fail(fmt.Errorf("answered %s, want one of %v", resp.Status, want))
	}
	_, _ = io.Copy(io.Discard, limited) // so that the connection can be used again
	return nil
}
