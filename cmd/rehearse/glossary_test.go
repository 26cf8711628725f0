package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mostWords is how many words of their own newcomers are asked to learn.
const mostWords = 25

// packageComments are the comments of all packages of the project, as one text.
func packageComments(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && d.Name() != ".."):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		var file *ast.File
		if file, err = parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.PackageClauseOnly); err != nil {
			return err
		}
		all.WriteString(file.Doc.Text())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(all.String()), " ")
}

// TestGlossary keeps the words of CONTRIBUTING.md few, explained once each, and in use
// where the packages say what they are for.
func TestGlossary(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "\n| word | meaning |\n|---|---|\n")
	if !found {
		t.Fatal("there is no table of words in CONTRIBUTING.md")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	comments, seen := strings.ToLower(packageComments(t)), map[string]bool{}
	for line := range strings.Lines(table) {
		word := strings.TrimSpace(strings.Split(line, "|")[1])
		if seen[word] {
			t.Errorf("%s is explained twice", word)
		}
		if seen[word] = true; !strings.Contains(comments, word) {
			t.Errorf("no package's comment uses %q: leave it out, or say what a package is for by it", word)
		}
	}
	if len(seen) > mostWords {
		t.Errorf("got %d words, want at most %d: use the field's own", len(seen), mostWords)
	}
}
