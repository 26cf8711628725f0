package runbook

import (
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rehearse-dev/rehearse/harness/source"
)

// Loaded is a page with where its file says what.
type Loaded struct {
	Runbook
	Digest string // SHA-256 of the document as JSON with sorted keys, in hex

	document *source.Node
}

// Position is where the file says what is at a path, such as consumers[1].name.
// For what it does not say it is that of the nearest thing around.
func (l *Loaded) Position(path string) source.Position {
	n, _ := l.document.At(path)
	return n.Position
}

// Load reads and checks a page of a file system. The error, if any, is
// source.Problems with all that is wrong.
func Load(fsys fs.FS, name string) (*Loaded, error) { return load(fsys, name, name) }

// LoadFile is Load of a file of the operating system.
func LoadFile(path string) (*Loaded, error) {
	return load(os.DirFS(filepath.Dir(path)), filepath.Base(path), path)
}

func load(fsys fs.FS, name, shown string) (*Loaded, error) {
	document, err := source.Read(fsys, name, shown)
	if err != nil {
		return nil, source.AsProblems(shown, err)
	}
	page, problems := Decode(document)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	digest, err := document.Digest()
	if err != nil {
		return nil, source.AsProblems(shown, err)
	}
	return &Loaded{Runbook: *page, Digest: digest, document: document}, nil
}

// Decode makes a page of a document and checks it. The page holds what could
// be read even where there are problems.
func Decode(document *source.Node) (*Runbook, source.Problems) {
	var page Runbook
	c := source.NewChecker(document, source.Decode(document, &page))
	page.check(c)
	return &page, c.Problems()
}
