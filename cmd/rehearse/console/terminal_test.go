package console

import (
	"os"
	"path/filepath"
	"testing"
)

func TestDetectOfAFile(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := Detect(f, func(string) string { return "" }); got != (Options{}) {
		t.Errorf("got %+v of a file, want no terminal and no colour", got)
	}
}

func TestOptionsFor(t *testing.T) {
	tests := []struct {
		name        string
		terminal    bool
		environment map[string]string
		want        Options
	}{
		{"a terminal", true, nil, Options{Terminal: true, Width: 100, Color: true}},
		{"NO_COLOR", true, map[string]string{"NO_COLOR": "1"}, Options{Terminal: true, Width: 100}},
		{"a dumb terminal", true, map[string]string{"TERM": "dumb"}, Options{}},
		{"a pipe", false, nil, Options{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := optionsFor(tt.terminal, 100, func(name string) string { return tt.environment[name] }); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}
