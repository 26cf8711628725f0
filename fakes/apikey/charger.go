package apikey

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin"
	"github.com/rehearse-dev/rehearse/harness/certs"
	"github.com/rehearse-dev/rehearse/harness/history"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// chargeDeadline bounds one call to the provider.
const chargeDeadline = 5 * time.Second

// publishedValues is the document that a charger reads: it presents the value
// of the tag that Emit names.
type publishedValues struct {
	Emit string `json:"emit"`
	Keys []struct {
		Tag   string `json:"tag"`
		Value string `json:"value"`
	} `json:"keys"`
}

// apiKey is the key that a charger presents.
type apiKey struct{ tag, value string }

type charger struct {
	config    contract.Charger
	source    *standin.PublishedSecret
	client    *http.Client
	log       *slog.Logger
	loading   sync.Mutex // held while the key is read
	version   int        // of what was loaded
	key       atomic.Pointer[apiKey]
	served    atomic.Int64
	presented atomic.Int64
}

// ServeCharger runs a consumer of the provider: every GET or POST / makes one
// call to POST /charges with the API key that it read from the store, and
// answers 200 if the call succeeded, else 502. Whether it tries again is as its
// configuration says.
func ServeCharger(ctx context.Context, config []byte, listener net.Listener, log io.Writer) error {
	var c contract.Charger
	if err := contract.Decode(config, &c); err != nil {
		return err
	}
	if err := checkCharger(c); err != nil {
		return err
	}
	logger, ready := history.NewLogger(log, c.Name), &standin.Readiness{}
	source, err := standin.NewPublishedSecret(c.Published, logger, ready)
	if err != nil {
		return err
	}
	transport := certs.Trusting(&http.Transport{MaxIdleConnsPerHost: 64})
	defer transport.CloseIdleConnections()
	ch := &charger{config: c, source: source, log: logger, client: &http.Client{Transport: transport, Timeout: chargeDeadline}}
	logger.Info(string(history.KindService), "detail", "charger: "+source.Describe()+retrying(c))
	if err := source.Start(ctx, ch.load); err != nil {
		return err
	}

	mux := standin.NewMux(ready, func() map[string]int64 {
		return map[string]int64{"served": ch.served.Load(), "presented": ch.presented.Load()}
	})
	mux.HandleFunc("GET /{$}", ch.charge)
	mux.HandleFunc("POST /{$}", ch.charge)
	source.Disturbable(mux, nil)
	return standin.ServeHTTP(ctx, listener, source.Handler(mux), logger, func(ctx context.Context) error {
		return source.Follow(ctx, ch.load)
	})
}

// checkCharger says what is wrong with the configuration.
func checkCharger(c contract.Charger) error {
	err := errors.Join(standin.Require("name", c.Name, "provider", c.Provider), standin.CheckPublished(c.Published))
	if c.Retries < 0 || c.RetryAfter < 0 {
		err = errors.Join(err, fmt.Errorf("check configuration: retries is %d and retry_after is %s, want at least 0", c.Retries, time.Duration(c.RetryAfter)))
	}
	return err
}

// load reads the published key once. What is logged as emitting is in effect
// already.
func (c *charger) load(ctx context.Context) error {
	c.loading.Lock()
	defer c.loading.Unlock()
	var doc publishedValues
	version, err := c.source.Read(ctx, &doc)
	if err != nil {
		return err
	}
	if version == c.version {
		return nil
	}
	key := &apiKey{}
	tags := make([]string, 0, len(doc.Keys))
	for _, entry := range doc.Keys {
		tags = append(tags, entry.Tag)
		if entry.Tag == doc.Emit {
			key.tag, key.value = entry.Tag, entry.Value
		}
	}
	if key.tag == "" || key.value == "" {
		return fmt.Errorf("load keys: emit names %q: want a key with that tag and a value among %q", doc.Emit, tags)
	}
	old := c.key.Swap(key)
	c.version = version
	c.log.Info(string(history.KindLoaded), "identifiers", tags, "identifier", key.tag)
	if old == nil || old.tag != key.tag {
		c.log.Info(string(history.KindEmitting), "identifier", key.tag)
	}
	return nil
}
