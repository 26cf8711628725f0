package delivery

import (
	"maps"
	"path"
	"path/filepath"
	"strconv"

	"github.com/rehearse-dev/rehearse/harness/certs"
	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// Asks reports whether a service's settings have an action of a name.
func Asks(spec world.Spec, name string) bool {
	for _, a := range (scenario.Service{Command: spec.Command, Init: spec.Init, Environment: spec.Environment, Files: spec.Files}).Actions() {
		if a.Name == name {
			return true
		}
	}
	return false
}

// Values fill in the settings of one external service.
type Values struct {
	// Speed is the run's: by it {{ .scaled.10m.s }} is divided.
	Speed float64
	// StoreURL, StorePath and StoreToken are where the service reads what is
	// published, and with what; "" where it does not ask for them.
	StoreURL, StorePath, StoreToken string
	// TLS is the service's own certificate and the authority that it can trust; zero where it asks for
	// none.
	TLS certs.Trust

	file   string
	files  map[string]string // the paths at which a service finds its own files, by their names
	secret *published        // nil: not known yet; what asks for it stays as it is
}

// Fill fills in a spec's settings, with the path of the secret's file in its first folder. Begin fills
// in the secret itself, and the runtime addresses of services.
func (v Values) Fill(spec world.Spec) world.Spec {
	if spec.Folder != "" {
		v.file = filepath.Join(spec.Folder, secretFile)
	}
	v.files = map[string]string{}
	for file := range spec.Files {
		at := file
		if leads, written := spec.Links[file]; written && spec.Image == "" && spec.Build == nil {
			at = leads // there is no other path on this machine
		}
		v.files[path.Base(file)] = at
	}
	spec.Environment, spec.Files = v.all(spec.Environment), v.all(spec.Files)
	return spec.WithCommands(v.in)
}

func (v Values) all(settings map[string]string) map[string]string {
	filled := make(map[string]string, len(settings))
	for name, text := range settings {
		filled[name] = v.in(text)
	}
	return filled
}

// in fills in one setting. Unknown words stay for the runtime, which rejects what it does not know
// either.
func (v Values) in(text string) string { return contract.Fill(text, v.of) }

func (v Values) of(w contract.Word) (value contract.Value, known bool) {
	switch w {
	case "store.url":
		return contract.Text(v.StoreURL), true
	case "store.path":
		return contract.Text(v.StorePath), true
	case "store.token":
		return contract.Text(v.StoreToken), true
	case "secret.file":
		return contract.Text(v.file), v.file != ""
	case "tls.certificate":
		return contract.Text(v.TLS.Certificate), v.TLS.Certificate != ""
	case "tls.key":
		return contract.Text(v.TLS.Key), v.TLS.Key != ""
	case "tls.ca":
		return contract.Text(v.TLS.CA), v.TLS.CA != ""
	}
	switch name, part := w.Of(); name {
	case "secret":
		if v.secret != nil {
			return v.secret.word(part)
		}
	case "files":
		at, there := v.files[part]
		return contract.Text(at), there
	case "scaled":
		text, ok := v.scaled(part)
		return contract.Text(text), ok
	}
	return contract.Value{}, false
}

// scaled is a duration of the page at the run's speed, a whole number of its unit
// and at least one.
func (v Values) scaled(part string) (value string, known bool) {
	d, unit, err := scenario.Scaled(part)
	if err != nil {
		return "", false
	}
	each := int64(1_000_000)
	if unit == "s" {
		each *= 1000
	}
	return strconv.FormatInt(max(1, int64(float64(d.Duration())/v.Speed)/each), 10), true
}

// withSecret is what of a service's environment asks for the secret, filled in;
// false where nothing does.
func withSecret(environment map[string]string, p published) (map[string]string, bool) {
	v, filled := Values{secret: &p}, map[string]string{}
	for name, text := range environment {
		if scenario.Holds(text) {
			filled[name] = v.in(text)
		}
	}
	return filled, len(filled) > 0
}

// over is a copy of settings, overridden by others.
func over(settings, others map[string]string) map[string]string {
	out := maps.Clone(settings)
	maps.Copy(out, others)
	return out
}
