package launch

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/source"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// Address is where a service is reached from inside of the run.
type Address struct {
	Host  string
	Port  int
	HTTPS bool
}

// URL is the address as a URL without a path: http://auth:8080.
func (a Address) URL() string { return Scheme(a.HTTPS) + "://" + a.Host + ":" + strconv.Itoa(a.Port) }

// Scheme is that of a service's URL.
func Scheme(https bool) string {
	if https {
		return "https"
	}
	return "http"
}

// Addresses are those of all services of a run, by name.
type Addresses map[string]Address

// Render replaces {{ .NAME.url }}, {{ .NAME.host }} and {{ .NAME.port }}. An
// error quotes the word and never the rest of the text, which may be secret.
func (a Addresses) Render(text string) (string, error) { return contract.Render(text, a.Resolve) }

// Resolve is what one such word stands for.
func (a Addresses) Resolve(w contract.Word) (string, error) {
	name, part := w.Of()
	to, known := a[name]
	if !known {
		return "", fmt.Errorf("%q names no service of this run: %s",
			w, source.DidYouMean(name, slices.Collect(maps.Keys(a))))
	}
	switch part {
	case "url":
		return to.URL(), nil
	case "host":
		return to.Host, nil
	case "port":
		return strconv.Itoa(to.Port), nil
	}
	return "", fmt.Errorf("%q asks for %s: a service has url, host and port", w, part)
}

// Config is a stand-in's configuration as JSON, with addresses in every text.
func (a Addresses) Config(spec world.Spec) ([]byte, error) {
	if spec.Config == nil {
		return []byte("{}"), nil
	}
	config, err := contract.Rewrite(spec.Config, func(_, path, text string) (string, error) {
		out, err := a.Render(text)
		if err != nil {
			return "", fmt.Errorf("%s: %w", path, err)
		}
		return out, nil
	})
	if err != nil {
		return nil, fmt.Errorf("render settings of %s: %w", spec.Name, err)
	}
	return json.Marshal(config)
}

// Environment is a service's own environment, with addresses in the values.
func (a Addresses) Environment(spec world.Spec) (map[string]string, error) {
	return a.values(spec.Name, "environment.", spec.Environment)
}

// Variables are what a service is told by variables: environment is what others may see
// of it. All that is told to a stand-in is sealed, since tokens and what is published are in it.
func (a Addresses) Variables(spec world.Spec) (environment, sealed map[string]string, err error) {
	environment, err = a.Environment(spec)
	if err != nil || spec.Serve == "" {
		return environment, nil, err
	}
	config, err := a.Config(spec)
	if err != nil {
		return nil, nil, err
	}
	sealed = environment
	sealed[contract.Variable] = string(config)
	sealed[contract.ControlVariable], sealed[contract.TrustVariable] = spec.Control, spec.Trust
	return map[string]string{}, sealed, nil
}

// Files are the contents of a service's files by their paths, with addresses in them.
func (a Addresses) Files(spec world.Spec) (map[string]string, error) {
	return a.values(spec.Name, "files.", spec.Files)
}

func (a Addresses) values(service, where string, settings map[string]string) (map[string]string, error) {
	out := make(map[string]string, len(settings))
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		value, err := a.Render(settings[name])
		if err != nil {
			return nil, fmt.Errorf("render settings of %s: %s%s: %w", service, where, name, err)
		}
		out[name] = value
	}
	return out, nil
}

// Command is a service's command line, with addresses in the words.
func (a Addresses) Command(spec world.Spec) ([]string, error) {
	out := make([]string, len(spec.Command))
	for i, word := range spec.Command {
		value, err := a.Render(word)
		if err != nil {
			return nil, fmt.Errorf("render settings of %s: command[%d]: %w", spec.Name, i, err)
		}
		out[i] = value
	}
	return out, nil
}
