package scenario

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// maxExtends bounds how many scenarios may extend each other in a row.
const maxExtends = 16

// Loaded is a scenario with everything that its files say, merged and checked.
type Loaded struct {
	// Name is that of the file without its extension, with its folder's:
	// "jwt-signing-key/healthy".
	Name     string
	File     string          // the path that was given; empty: of another file system
	Scenario Scenario        // with what it extends; Extends is empty
	Runbook  runbook.Runbook // with the scenario's override
	// ScenarioDigest and RunbookDigest are the SHA-256, in hex, of the merged
	// documents as JSON with sorted keys.
	ScenarioDigest, RunbookDigest string

	scenario, page *source.Node
	folder         func(file, relative string) (fs.FS, error)
}

// Folder is a folder that the merged scenario names at a path of it, relative to
// the file that says so.
func (l *Loaded) Folder(at, relative string) (fs.FS, error) {
	if l.folder == nil { // made by hand, from no file
		return nil, fmt.Errorf("open %s: the scenario is of no file", relative)
	}
	return l.folder(l.Position(at).File, relative)
}

// Position is where the merged scenario says what is at a path, such as
// services.checkout.library or load[1].rate. For what it does not say it is
// that of the nearest thing around.
func (l *Loaded) Position(path string) source.Position { return position(l.scenario, path, l.Name) }

// PagePosition is Position for the merged page: consumers[1].name.
func (l *Loaded) PagePosition(path string) source.Position { return position(l.page, path, l.Name) }

func position(document *source.Node, path, name string) source.Position {
	if document == nil { // made by hand, from no file
		return source.Position{File: name}
	}
	n, _ := document.At(path)
	return n.Position
}

// Says reports whether the merged scenario itself says something at a path.
func (l *Loaded) Says(path string) bool {
	n, found := l.scenario.At(path)
	return found && !n.IsNull()
}

// Option changes how a scenario is loaded.
type Option func(*loader)

// WithFaults names the kinds of faults that there are. Without it any kind passes.
func WithFaults(kinds ...string) Option {
	return func(l *loader) { l.faults = kinds }
}

// Load reads a scenario of a file system, with the scenarios that it extends
// and the page that it rehearses, and checks all of them. The error, if any,
// is source.Problems with all that is wrong.
func Load(fsys fs.FS, name string, options ...Option) (*Loaded, error) {
	return load(loaderOf(fsys), path.Clean(name), options)
}

func loaderOf(fsys fs.FS) *loader {
	return &loader{
		read:   func(file string) (*source.Node, error) { return source.Read(fsys, file, file) },
		join:   func(file, relative string) string { return path.Join(path.Dir(file), relative) },
		folder: func(file, relative string) (fs.FS, error) { return fs.Sub(fsys, path.Join(path.Dir(file), relative)) },
	}
}

// LoadFile is Load of a file of the operating system.
func LoadFile(file string, options ...Option) (*Loaded, error) {
	loaded, err := load(&loader{
		read: func(file string) (*source.Node, error) {
			return source.Read(os.DirFS(filepath.Dir(file)), filepath.Base(file), file)
		},
		join: func(file, relative string) string {
			return filepath.Join(filepath.Dir(file), filepath.FromSlash(relative))
		},
		folder: func(file, relative string) (fs.FS, error) {
			return os.DirFS(filepath.Join(filepath.Dir(file), filepath.FromSlash(relative))), nil
		},
	}, filepath.Clean(file), options)
	if err == nil {
		loaded.File = file
	}
	return loaded, err
}

// loader reads the files of one scenario.
type loader struct {
	read     func(file string) (*source.Node, error)
	join     func(file, relative string) string // the path of a file that another one names
	folder   func(file, relative string) (fs.FS, error)
	faults   []string
	problems source.Problems
}

func load(l *loader, file string, options []Option) (*Loaded, error) {
	for _, o := range options {
		o(l)
	}
	document := l.chain(file, nil, nil)
	if document == nil {
		return nil, l.problems.Err()
	}
	loaded := &Loaded{Name: nameOf(file), scenario: document, folder: l.folder}
	checker := source.NewChecker(document, source.Decode(document, &loaded.Scenario))
	rules := check{Checker: checker, s: &loaded.Scenario, faults: l.faults}
	if loaded.page = l.page(document); loaded.page != nil {
		page, problems := runbook.Decode(loaded.page)
		loaded.Runbook = *page
		rules.page, rules.onPage = page, source.NewChecker(loaded.page, problems)
	}
	loaded.Scenario.attached(rules.page)
	l.readFiles(&loaded.Scenario, document)
	l.readMeasured(&loaded.Scenario, document)
	rules.all()
	if rules.onPage != nil {
		l.problems = append(l.problems, rules.onPage.Problems()...)
	}
	l.problems = append(l.problems, checker.Problems()...)
	if err := l.problems.Err(); err != nil {
		return nil, err
	}
	var err error
	if loaded.ScenarioDigest, err = document.Digest(); err != nil {
		return nil, source.AsProblems(file, err)
	}
	if loaded.RunbookDigest, err = loaded.page.Digest(); err != nil {
		return nil, source.AsProblems(file, err)
	}
	return loaded, nil
}

// nameOf is the last folder and the file of a path, without the extension.
func nameOf(file string) string {
	parts := strings.Split(filepath.ToSlash(file), "/")
	parts = parts[max(0, len(parts)-2):]
	name := strings.TrimLeft(strings.Join(parts, "/"), "./")
	return strings.TrimSuffix(name, path.Ext(name))
}

// chain reads a scenario and merges it onto the one that it extends. It is nil
// where a file of the chain cannot be used; the problems say why. The node by
// which another file names this one is nil for the first.
func (l *loader) chain(file string, namedBy *source.Node, above []string) *source.Node {
	document := l.open(file, namedBy, "extends")
	if document == nil {
		return nil
	}
	if kind, ok := document.Field("kind"); ok && kind.Value.Value == runbook.Kind {
		l.report(kind.Value, "kind", "", "this file is a page, not a scenario: `rehearse lint` holds pages, and a scenario names its page as runbook")
		return nil
	}
	extends, ok := document.Field("extends")
	if !ok || extends.Value.IsNull() {
		return document
	}
	l.problems = append(l.problems, source.CheckPatch(document, &Scenario{})...)
	base, ok := l.follow(extends.Value, "extends")
	if !ok {
		return nil
	}
	above = append(slices.Clone(above), file)
	switch {
	case slices.Contains(above, base):
		l.report(extends.Value, "extends", "", "goes in a circle: %s", strings.Join(append(above, base), " → "))
		return nil
	case len(above) > maxExtends:
		l.report(extends.Value, "extends", "", "more than %d scenarios extend each other", maxExtends)
		return nil
	}
	below := l.chain(base, extends.Value, above)
	if below == nil {
		return nil
	}
	return extend(below, document)
}

// extend merges a scenario onto the one that it extends. Their overrides are
// patches themselves: they are composed, so that null keeps its meaning.
func extend(base, document *source.Node) *source.Node {
	merged := source.Merge(base, document.Without("extends").Without("override"))
	if override, ok := document.Field("override"); ok {
		merged = source.Compose(merged, &source.Node{
			Position: document.Position, Kind: source.Mapping, Fields: []source.Field{override},
		})
	}
	return merged
}

// page reads the page that a merged scenario names and applies the override.
// It is nil where that cannot be; the problems say why.
func (l *loader) page(document *source.Node) *source.Node {
	of, ok := document.Field("runbook")
	if !ok || of.Value.IsNull() {
		l.report(document, "runbook", "the path of the page that is rehearsed", "is missing")
		return nil
	}
	file, ok := l.follow(of.Value, "runbook")
	if !ok {
		return nil
	}
	page := l.open(file, of.Value, "runbook")
	if page == nil {
		return nil
	}
	if kind, ok := page.Field("kind"); ok && kind.Value.Value == Kind {
		l.report(of.Value, "runbook", "", "%s is a scenario, not a page", file)
		return nil
	}
	if override, ok := document.Field("override"); ok && override.Value.Kind == source.Mapping {
		l.problems = append(l.problems, source.CheckPatch(override.Value, &runbook.Runbook{})...)
		page = source.Merge(page, override.Value)
	}
	return page
}

// follow is the file that a value names, relative to the file that says it. A
// value of another type than text is reported when the scenario is decoded.
func (l *loader) follow(n *source.Node, key string) (file string, ok bool) {
	name, isText := n.Value.(string)
	if !isText {
		return "", false
	}
	if name == "" || path.IsAbs(name) || filepath.IsAbs(name) {
		l.report(n, key, "as ../runbook.yaml", "%q is not a path relative to this file", name)
		return "", false
	}
	return l.join(n.File, name), true
}

// open reads a file whose document is a mapping. That it cannot be read is a
// problem of the place that names it.
func (l *loader) open(file string, namedBy *source.Node, key string) *source.Node {
	document, err := l.read(file)
	if err == nil && document.Kind == source.Mapping {
		return document
	}
	if err == nil {
		l.report(document, "", "", "want a mapping at the top of the file")
		return nil
	}
	for _, p := range source.AsProblems(file, err) {
		if namedBy != nil && p.Line == 0 {
			p.Position, p.Path, p.Message = namedBy.Position, key, file+": "+p.Message
		}
		l.problems = append(l.problems, p)
	}
	return nil
}

func (l *loader) report(at *source.Node, path, hint, format string, args ...any) {
	l.problems = append(l.problems, source.Problem{
		Position: at.Position, Path: path, Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}
