package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/store"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// own is a service of a team's own as a runtime starts it. What its settings ask
// for of the run itself is filled in here, addresses of services by the runtime.
func (r *run) own(ctx context.Context, s plan.Service) (world.Spec, error) {
	spec := world.Spec{
		Name: s.Name, Image: s.Image, Command: s.Command, Health: s.Healthcheck, Needs: s.Needs,
		Environment: s.Environment, Files: s.Files,
	}
	if len(s.Ports) > 0 {
		spec.Port = s.Ports[0]
	}
	if s.Build != nil {
		folder, err := r.plan.Folder("services."+s.Name+".build.context", s.Build.Context)
		if err != nil {
			return world.Spec{}, fmt.Errorf("build %s: %w", s.Name, err)
		}
		spec.Build = &world.Build{Context: folder, Dockerfile: s.Build.Dockerfile}
	}
	if !s.NeedsImage() && r.plan.File != "" {
		spec.Dir = filepath.Dir(r.plan.File)
	}
	if s.Distribution == runbook.File {
		r.delivery.configure(&spec, s)
	}
	return r.fill(ctx, spec)
}

// fill fills in what settings ask for of the store, of scaled durations and of
// the path of the secret's file. What they ask for of the secret itself is left
// to the delivery, which knows it when it is published.
func (r *run) fill(ctx context.Context, spec world.Spec) (world.Spec, error) {
	values := ownValues{speed: r.plan.Speed, storeURL: r.storeURL}
	if asks(spec, "store") {
		page := r.plan.Page.Storage.Publish.Path
		token, err := r.store.Token(ctx, spec.Name, store.Below(page))
		if err != nil {
			return world.Spec{}, err
		}
		r.secrets = append(r.secrets, token)
		values.storeToken, values.storePath = token, r.store.Path(page)
	}
	if len(spec.Folders) > 0 {
		values.file = filepath.Join(spec.Folders[0], secretFile)
	}
	spec.Environment, spec.Files = values.all(spec.Environment), values.all(spec.Files)
	command := make([]string, len(spec.Command))
	for i, word := range spec.Command {
		command[i] = values.in(word)
	}
	spec.Command = command
	return spec, nil
}

// asks reports whether a service's settings have an action of a name.
func asks(spec world.Spec, name string) bool {
	for _, a := range (scenario.Service{Command: spec.Command, Environment: spec.Environment, Files: spec.Files}).Actions() {
		if a.Name == name {
			return true
		}
	}
	return false
}

// ownAction is an action that is not about a service: {{ .store.token }}.
var ownAction = regexp.MustCompile(`\{\{-?\s*\.(store|secret|scaled)\.([a-zA-Z0-9_.]+)\s*-?\}\}`)

// ownValues are what such actions stand for. The document is nil where it is
// not known yet; then what asks for it stays as it is.
type ownValues struct {
	speed                           float64
	storeURL, storePath, storeToken string
	file                            string
	document                        map[string]any
	encoded                         []byte
}

func (v ownValues) all(settings map[string]string) map[string]string {
	filled := make(map[string]string, len(settings))
	for name, text := range settings {
		filled[name] = v.in(text)
	}
	return filled
}

// in fills in one setting. Checked scenarios have no other actions than these.
func (v ownValues) in(text string) string {
	return ownAction.ReplaceAllStringFunc(text, func(found string) string {
		parts := ownAction.FindStringSubmatch(found)
		switch parts[1] + "." + parts[2] {
		case "store.url":
			return v.storeURL
		case "store.path":
			return v.storePath
		case "store.token":
			return v.storeToken
		case "secret.file":
			return v.file
		case "secret.json":
			if v.document != nil {
				return string(v.encoded)
			}
		case "secret.value":
			if v.document != nil {
				return emittedValue(v.document)
			}
		default:
			if parts[1] == "scaled" {
				return v.scaled(parts[2], found)
			}
		}
		return found
	})
}

// scaled is a duration of the page at the run's speed, a whole number of its unit
// and at least one.
func (v ownValues) scaled(part, otherwise string) string {
	d, unit, err := scenario.Scaled(part)
	if err != nil {
		return otherwise // the runtime refuses what it cannot read
	}
	each := int64(1_000_000)
	if unit == "s" {
		each *= 1000
	}
	return strconv.FormatInt(max(1, int64(float64(d.Duration())/v.speed)/each), 10)
}

// emittedValue is the value of the credential to emit, in the families whose
// credentials have one.
func emittedValue(document map[string]any) string {
	var published struct {
		Emit string `json:"emit"`
		Keys []struct {
			Tag   string `json:"tag"`
			Value string `json:"value"`
		} `json:"keys"`
	}
	encoded, err := json.Marshal(document)
	if err != nil || json.Unmarshal(encoded, &published) != nil {
		return ""
	}
	for _, key := range published.Keys {
		if key.Tag == published.Emit {
			return key.Value
		}
	}
	return ""
}

// withSecret is a service's environment with what it asks for of the secret;
// false where it asks for nothing of it.
func withSecret(environment map[string]string, document map[string]any, encoded []byte) (map[string]string, bool) {
	v, filled := ownValues{document: document, encoded: encoded}, map[string]string{}
	for name, text := range environment {
		for _, parts := range ownAction.FindAllStringSubmatch(text, -1) {
			if parts[1] == "secret" {
				filled[name] = v.in(text)
			}
		}
	}
	return filled, len(filled) > 0
}

// presented is the token of a file that a client presents as it is.
func (r *run) presented(i int, file string) (string, error) {
	at := "load[" + strconv.Itoa(i) + "].token.file"
	folder, err := r.plan.Folder(at, path.Dir(file))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", at, err)
	}
	content, err := fs.ReadFile(folder, path.Base(file))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", at, err)
	}
	value := strings.TrimSpace(string(content))
	r.secrets = append(r.secrets, value)
	return value, nil
}
