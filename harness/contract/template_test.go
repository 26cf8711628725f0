package contract

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestWords(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []Word
		err  string
	}{
		{"nothing", nil, ""},
		{"{{ .auth.url }}/{{.my-db.port}}", []Word{"auth.url", "my-db.port"}, ""},
		{"{{- .scaled.10m.ms -}}", []Word{"scaled.10m.ms"}, ""},
		{"{{ .seconds }}", []Word{"seconds"}, ""},
		{`{"a": {"b": 1}}`, nil, ""},
		{"{{ .auth.url", nil, "is not closed"},
		{"{{ .auth.url }", nil, "is not closed"},
		{"{{ .a {{ .auth.url }}", nil, "is not closed"},
		{"{{ auth.url }}", nil, "cannot read"},
		{"{{ }}", nil, "cannot read"},
		{"{{ .auth.url | upper }}", nil, `"upper" is no function`},
		{"{{ .secret.value | base64 | json }}}}", []Word{"secret.value"}, ""},
		{"{{ .files.db-password.txt }}", []Word{"files.db-password.txt"}, ""},
		{"{{ .auth.url | }}", nil, "cannot read"},
	} {
		words, err := Words(tt.text)
		if tt.err == "" && (err != nil || !slices.Equal(words, tt.want)) || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%q: got %q, %v; want %q and an error with %q", tt.text, words, err, tt.want, tt.err)
		}
	}
}

func TestRenderAndFill(t *testing.T) {
	const text = "a={{ .auth.url }} b={{ .store.token }}"
	known := func(w Word) (Value, bool) { return Text("http://auth"), w == "auth.url" }
	if got, want := Fill(text, known), "a=http://auth b={{ .store.token }}"; got != want {
		t.Errorf("fill: got %q, want %q", got, want)
	}
	unknown := errors.New("unknown")
	if _, err := Render(text, func(w Word) (string, error) {
		if w == "auth.url" {
			return "http://auth", nil
		}
		return "", unknown
	}); !errors.Is(err, unknown) {
		t.Errorf("render: got %v, want %v", err, unknown)
	}
	if got, err := Render(text, func(w Word) (string, error) { return "[" + string(w) + "]", nil }); err != nil || got != "a=[auth.url] b=[store.token]" {
		t.Errorf("render: got %q, %v", got, err)
	}
	if name, part := Word("scaled.10m.ms").Of(); name != "scaled" || part != "10m.ms" {
		t.Errorf("of: got %q and %q", name, part)
	}
}
