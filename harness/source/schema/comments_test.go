package schema

import (
	"go/ast"
	"go/parser"
	"go/token"
	"testing"
)

func TestFieldsOf(t *testing.T) {
	const source = "package p\n" +
		"type Service struct {\n" +
		"	// Refresh is how often it reads. It does not forget. TTL is how long a cache keeps an answer, as Refresh is.\n" +
		"	Refresh string `yaml:\"refresh\"`\n" +
		"	TTL string `yaml:\"ttl,omitempty\"`\n" +
		"	// From and Until are when it begins and ends.\n" +
		"	From, Until string `yaml:\"from\"`\n" +
		"	Path string `yaml:\"path\"` // where it is called\n" +
		"	// Secret writes to a Secret; User-Agent is not User.\n" +
		"	Secret, Agent string `yaml:\"secret\"`\n" +
		"	User string `yaml:\"user\"`\n" +
		"	// What neither is about.\n" +
		"	Other string\n" +
		"}\n"
	file, err := parser.ParseFile(token.NewFileSet(), "p.go", source, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	got := fieldsOf(file.Decls[0].(*ast.GenDecl).Specs[0].(*ast.TypeSpec))
	for field, want := range map[string]string{
		"Refresh": "`refresh` is how often it reads. It does not forget.",
		"TTL":     "`ttl` is how long a cache keeps an answer, as `refresh` is.",
		"From":    "`from` and `from` are when it begins and ends.",
		"Path":    "where it is called",
		"Secret":  "`secret` writes to a Secret; User-Agent is not `user`.",
		"User":    "`secret` writes to a Secret; User-Agent is not `user`.",
		"Other":   "What neither is about.",
	} {
		if got[field] != want {
			t.Errorf("%s: got %q, want %q", field, got[field], want)
		}
	}
}

func TestAboutType(t *testing.T) {
	for comment, want := range map[string]string{
		"Token is how a client gets one.": "How a client gets one.",
		"Token says how.":                 "Says how.",
		"Another comment.":                "Another comment.",
		"":                                "",
	} {
		if got := aboutType("Token", comment); got != want {
			t.Errorf("%q: got %q, want %q", comment, got, want)
		}
	}
}
