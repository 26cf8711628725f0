package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/server"
)

// Config is the configuration of one stand-in: a pointer to one of the types of
// this package. Texts in it may have the addresses of services as {{ .NAME.url }},
// {{ .NAME.host }} and {{ .NAME.port }}, which the runtime fills in. It may hold
// tokens and passwords, and belongs in no argument, label or log.
type Config interface {
	// Serves is the name under which the stand-in is served: issuer.
	Serves() string
}

// configs make an empty configuration of each stand-in that has one.
var configs = map[string]func() Config{}

// register adds stand-ins whose configurations are of type T.
func register[T any, P interface {
	*T
	Config
}]() {
	configs[P(new(T)).Serves()] = func() Config { return P(new(T)) }
}

func init() {
	register[Issuer]()
	register[Verifier]()
	register[Cache]()
	register[Provider]()
	register[Charger]()
	register[Sender]()
	register[Receiver]()
	register[PgBouncer]()
	register[Querier]()
	register[Proxy]()
	register[Balancer]()
	register[Store]()
	for _, kind := range server.Kinds() {
		if _, own := configs[kind]; !own {
			configs[kind] = func() Config { return &Database{Kind: kind} }
		}
	}
}

// Parse reads the configuration of a stand-in by the name under which it is served.
func Parse(serve string, encoded []byte) (Config, error) {
	empty, known := configs[serve]
	if !known {
		return nil, fmt.Errorf("parse configuration: no stand-in %q is configured, only %s are", serve, strings.Join(slices.Sorted(maps.Keys(configs)), ", "))
	}
	c := empty()
	return c, Decode(encoded, c)
}

// Decode reads a configuration strictly into what has the defaults already: a
// field that is not known is an error, and so is anything after the document.
func Decode(encoded []byte, into any) error {
	if len(bytes.TrimSpace(encoded)) == 0 {
		return errors.New("parse configuration: it is empty")
	}
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("parse configuration: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("parse configuration: something follows the document")
	}
	return nil
}

// Rewrite is a copy of a configuration in which every text is what change makes
// of it. Change is told the name of the setting and where it is, as in
// "config.clients[0].url". Nil stays nil.
func Rewrite(c Config, change func(setting, path, text string) (string, error)) (Config, error) {
	if c == nil {
		return nil, nil
	}
	encoded, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode configuration: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber() // a seed has more digits than a float64
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return nil, fmt.Errorf("rewrite configuration: %w", err)
	}
	if tree, err = rewrite(tree, "", "config", change); err != nil {
		return nil, err
	}
	if encoded, err = json.Marshal(tree); err != nil {
		return nil, fmt.Errorf("encode configuration: %w", err)
	}
	out := reflect.New(reflect.TypeOf(c).Elem()).Interface().(Config)
	return out, Decode(encoded, out)
}

func rewrite(node any, setting, path string, change func(setting, path, text string) (string, error)) (_ any, err error) {
	switch node := node.(type) {
	case string:
		return change(setting, path, node)
	case []any:
		for i, child := range node {
			if node[i], err = rewrite(child, setting, fmt.Sprintf("%s[%d]", path, i), change); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(node)) {
			if node[key], err = rewrite(node[key], key, path+"."+key, change); err != nil {
				return nil, err
			}
		}
	}
	return node, nil
}

// Copy is a copy of a configuration of which single fields can be set without
// setting those of the original. Nil stays nil.
func Copy(c Config) Config {
	if c == nil {
		return nil
	}
	out := reflect.New(reflect.TypeOf(c).Elem())
	out.Elem().Set(reflect.ValueOf(c).Elem())
	return out.Interface().(Config)
}

// AddressOf is the address of a service in another one's configuration, which
// the runtime fills in.
func AddressOf(service string) string { return "{{ ." + service + ".url }}" }

// HostPortOf is the host and the port of a service, as AddressOf.
func HostPortOf(service string) string {
	return "{{ ." + service + ".host }}:{{ ." + service + ".port }}"
}

// Duration is wall time in a configuration, which JSON has as time.Duration.String
// writes it: "6.667s".
type Duration time.Duration

// MarshalText writes it as time.Duration.String does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what time.ParseDuration does.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("parse duration: %w", err)
	}
	*d = Duration(parsed)
	return nil
}

// Published says how a consumer gets the published secret: from exactly one of
// Store, File and Variable. The configuration of every consumer embeds it.
type Published struct {
	// Store is polled.
	Store *Stored `json:"store,omitempty"`
	// File is the path of a file with the document, which is read again at every
	// refresh.
	File string `json:"file,omitempty"`
	// Variable is the environment variable that holds the document. It is what it
	// was when the process was started, for as long as the process lives.
	Variable string `json:"variable,omitempty"`
	// Refresh is how often Store or File is read.
	Refresh Duration `json:"refresh,omitempty"`
	// Pinned makes a consumer keep for good what it found at its start.
	Pinned bool `json:"pinned,omitempty"`
	Orders
}

// Stored says where the published secret is and with which token it is read.
type Stored struct {
	URL   string `json:"url"` // of the store, as services see it
	Token string `json:"token"`
	// Path is that of a KV v2 read without /v1/: MOUNT/data/auth/key.
	Path string `json:"path"`
}

func (p *Published) published() *Published { return p }

// PublishedTo is how the stand-in of a configuration gets the published secret;
// nil: it reads none.
func PublishedTo(c Config) *Published {
	if reader, ok := c.(interface{ published() *Published }); ok {
		return reader.published()
	}
	return nil
}

// Orders is whose orders a stand-in follows to misbehave.
type Orders struct {
	// Disturb is the token of whoever may give them; empty: nobody may.
	Disturb string `json:"disturb,omitempty"`
}

func (o *Orders) orders() *Orders { return o }

// OrdersTo is whose orders the stand-in of a configuration follows; nil: it
// follows none.
func OrdersTo(c Config) *Orders {
	if disturbed, ok := c.(interface{ orders() *Orders }); ok {
		return disturbed.orders()
	}
	return nil
}
