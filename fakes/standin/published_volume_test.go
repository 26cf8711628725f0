package standin

import (
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/atomicfile"
)

// TestVolume: what a kubelet brings is news once, by the credentials that are new in it.
func TestVolume(t *testing.T) {
	folder := t.TempDir()
	write := func(content string) {
		t.Helper()
		if err := atomicfile.Write(folder, "secret.json", []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"emit": "k1", "keys": [{"tag": "k1"}]}`)
	v := newVolume(folder + "/secret.json")
	for _, step := range []struct {
		write string
		want  []string
	}{
		{"", nil},
		{`{"emit": "k1", "keys": [{"tag": "k1"}, {"tag": "k2"}]}`, []string{"k2"}},
		{"", nil},
		{`{"emit": "k2", "keys": [{"tag": "k1"}, {"tag": "k2"}]}`, nil},
		{`no document`, nil},
		{`{"emit": "k3", "keys": [{"tag": "k3"}]}`, []string{"k3"}},
	} {
		if step.write != "" {
			write(step.write)
		}
		if got := v.news(); !slices.Equal(got, step.want) {
			t.Errorf("after %q: got %q, want %q", step.write, got, step.want)
		}
	}
	if got := newVolume("").news(); got != nil {
		t.Errorf("of no file: got %q", got)
	}
}
