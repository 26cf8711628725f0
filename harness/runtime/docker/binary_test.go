package docker

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestCheckTellsStaticCommands(t *testing.T) {
	s := binarySource{command: standinPackage, cache: testBinaries, progress: func(string) {}}
	root, err := s.sourceRoot()
	if err != nil {
		t.Fatal(err)
	}
	other := map[string]string{"amd64": "arm64", "arm64": "amd64"}[runtime.GOARCH]
	path, err := s.build(t.Context(), root, runtime.GOARCH)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, path, arch string
		command          string
		want             string // in the error; none: usable
	}{
		{name: "right", path: path, arch: runtime.GOARCH, command: standinPackage},
		{name: "other architecture", path: path, arch: other, command: standinPackage, want: "want EM_"},
		{name: "other command", path: path, arch: runtime.GOARCH, command: mainPackage, want: "want " + mainPackage},
		{name: "a test's binary", path: os.Args[0], arch: "amd64", command: mainPackage, want: "docker.test"},
		{name: "no Go binary", path: "/bin/sh", arch: "amd64", command: mainPackage, want: "use /bin/sh"},
		{name: "nothing", path: filepath.Join(t.TempDir(), "none"), arch: "amd64", command: mainPackage, want: "no such file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.command = tt.command
			err := s.check(tt.path, tt.arch)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v; want an error that says %q", err, tt.want)
			}
		})
	}
}

func TestFindSaysWhatWasTried(t *testing.T) {
	t.Chdir(t.TempDir())
	s := binarySource{executable: filepath.Join(t.TempDir(), "rehearse"), command: mainPackage, progress: func(string) {}}
	_, err := s.find(t.Context(), "amd64")
	for _, part := range []string{"use " + s.executable, "no checkout of " + modulePath, "at or above"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("got %v; want an error that says %q", err, part)
		}
	}
}
