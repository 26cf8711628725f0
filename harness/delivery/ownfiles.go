package delivery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// address is what a word of an address of a service stands for.
type address func(contract.Word) (string, error)

// ownFile is a file of a service of a team's own that is written for it.
type ownFile struct {
	path string // as its settings name it
	name string // in the folder of the run that has it
	text string // before anything is filled in
}

// ownFiles are those of a service, sorted by path: what has the secret in it, and
// of a command of this machine, which has no paths of its own, all that it is given.
func ownFiles(s plan.Service) []ownFile {
	var files []ownFile
	if !s.External() {
		return nil
	}
	for i, at := range slices.Sorted(maps.Keys(s.Files)) {
		if !s.NeedsImage() || scenario.Holds(s.Files[at]) {
			files = append(files, ownFile{path: at, name: fmt.Sprintf("%d-%s", i, path.Base(at)), text: s.Files[at]})
		}
	}
	return files
}

// isBare reports whether a service has its own files only, and not what is
// published as it is.
func isBare(s plan.Service) bool {
	asks := slices.Contains(s.Actions(), scenario.Action{Name: "secret", Part: "file"})
	return s.External() && !asks && (s.HasSecretFiles() || runbook.Way(s.Distribution) != runbook.File)
}

// links are where the files of a service lead to, by their paths.
func (f *fileDelivery) links() map[string]string {
	links := map[string]string{}
	for _, own := range f.own {
		links[own.path] = filepath.Join(f.folder, own.name)
	}
	return links
}

// before has the files of a service written when it is known where services are.
// Its spec says what is in them, with all filled in that is known.
func (d *Delivery) before(ctx context.Context, spec *world.Spec, p published) {
	f := d.filesOf(spec.Name)
	_, asks := d.own[spec.Name]
	if f == nil && !asks {
		return
	}
	if f != nil {
		spec.Files = maps.Clone(spec.Files)
		for i, own := range f.own {
			f.own[i].text = spec.Files[own.path]
			delete(spec.Files, own.path) // what is left is the runtime's to copy
		}
	}
	spec.Before = func(at func(contract.Word) (string, error)) error {
		d.mu.Lock()
		d.address = at
		d.mu.Unlock()
		if f == nil || len(f.own) == 0 {
			return nil
		}
		return d.writeFirst(ctx, f, p)
	}
}

// addresses is how words of addresses are filled in.
func (d *Delivery) addresses() address {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.address
}

// contents are the files of a service by their names, as they are to be.
func (f *fileDelivery) contents(p published, at address) (map[string][]byte, error) {
	contents := map[string][]byte{}
	if !f.bare {
		contents[secretFile] = p.encoded
	}
	for _, own := range f.own {
		text, err := rendered(own.text, p, at)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", own.path, err)
		}
		contents[own.name] = []byte(text)
	}
	return contents, nil
}

// rendered is a text with the secret and addresses filled in, both at once: what a
// value looks like is never read.
func rendered(text string, p published, at address) (string, error) {
	var failed []error
	values := Values{secret: &p}
	out := contract.Fill(text, func(w contract.Word) (contract.Value, bool) {
		if value, known := values.of(w); known {
			return value, true
		}
		if at == nil {
			failed = append(failed, fmt.Errorf("%s is not known yet", w))
			return contract.Value{}, false
		}
		filled, err := at(w)
		if err != nil {
			failed = append(failed, err)
		}
		return contract.Text(filled), err == nil
	})
	return out, errors.Join(failed...)
}

// environment is what of a service's environment asks for the secret, with all of it
// filled in; d.mu is held.
func (d *Delivery) environment(own map[string]string, p published) (map[string]string, error) {
	filled := map[string]string{}
	for name, text := range own {
		if !scenario.Holds(text) {
			continue
		}
		value, err := rendered(text, p, d.address)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		filled[name] = value
	}
	return filled, nil
}
