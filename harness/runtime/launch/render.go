package launch

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/source"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// Address is where a service is reached from inside of the run.
type Address struct {
	Host string
	Port int
}

// URL is the address as a URL without a path: http://auth:8080.
func (a Address) URL() string { return "http://" + a.Host + ":" + strconv.Itoa(a.Port) }

// Addresses are those of all services of a run, by name.
type Addresses map[string]Address

// The form {{ .NAME.PART }} is that of text/template, but is read here: a
// service's name may have dashes, which text/template cannot take after a dot,
// and nothing but addresses is to be had in a setting.
var (
	action  = regexp.MustCompile(`\{\{.*?(\}\}|$)`)
	address = regexp.MustCompile(`^\{\{-?\s*\.([A-Za-z0-9_-]+)\.([A-Za-z]+)\s*-?\}\}$`)
)

// Render replaces {{ .NAME.url }}, {{ .NAME.host }} and {{ .NAME.port }}. An
// error quotes the action and never the rest of the text, which may be secret.
func (a Addresses) Render(text string) (string, error) {
	var failed error
	out := action.ReplaceAllStringFunc(text, func(found string) string {
		value, err := a.resolve(found)
		if err != nil && failed == nil {
			failed = err
		}
		return value
	})
	return out, failed
}

func (a Addresses) resolve(found string) (string, error) {
	parts := address.FindStringSubmatch(found)
	if parts == nil {
		return "", fmt.Errorf("cannot read %q: write {{ .NAME.url }}, {{ .NAME.host }} or {{ .NAME.port }}", found)
	}
	name, part := parts[1], parts[2]
	to, known := a[name]
	if !known {
		return "", fmt.Errorf("%q names no service of this run: %s",
			found, source.DidYouMean(name, slices.Collect(maps.Keys(a))))
	}
	switch part {
	case "url":
		return to.URL(), nil
	case "host":
		return to.Host, nil
	case "port":
		return strconv.Itoa(to.Port), nil
	}
	return "", fmt.Errorf("%q asks for %s: a service has url, host and port", found, part)
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
