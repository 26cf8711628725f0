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

// address resolves a word of a service's address.
type address func(contract.Word) (string, error)

// ownFile is a file of an external service that the delivery writes.
type ownFile struct {
	path string // as its settings name it
	name string // in the folder of the run that has it
	text string // before anything is filled in
}

// ownFiles are those files of a service, sorted by path: the ones that contain the secret and, of a
// command of this machine, which has no paths of its own, all of them.
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

// links are the targets of a service's file paths.
func (f *fileDelivery) links() map[string]string {
	links := map[string]string{}
	for _, own := range f.own {
		links[own.path] = filepath.Join(f.folder, own.name)
	}
	return links
}

// before arranges that the files of a service are written once addresses are known. Its spec has their
// contents, filled in as far as known.
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

// rendered fills the secret and addresses into a text in one pass: words inside a value are never
// replaced.
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

// environment is the part of a service's environment that asks for the secret, filled in; d.mu is held.
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
