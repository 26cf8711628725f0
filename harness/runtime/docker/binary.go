package docker

import (
	"context"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// The module and its command, as go.mod and a binary's build information have them.
const (
	modulePath  = "github.com/rehearse-dev/rehearse"
	mainPackage = modulePath + "/cmd/rehearse"
)

// binarySource finds the binary that stand-ins are run from in containers: a
// static Linux one, whatever this process is.
type binarySource struct {
	executable string // a rehearse binary; may be none
	command    string // import path of the package main that is wanted
	cache      string // folder for what is built
	progress   func(string)
}

// find returns the path of a static Linux binary for an architecture (as
// GOARCH names it): the executable itself where it is one, else one built from source.
func (s binarySource) find(ctx context.Context, arch string) (string, error) {
	notItself := s.check(s.executable, arch)
	if notItself == nil {
		return s.executable, nil
	}
	root, notFound := s.sourceRoot()
	if notFound != nil {
		return "", errors.Join(notItself, notFound)
	}
	path, err := s.build(ctx, root, arch)
	if err != nil {
		return "", errors.Join(notItself, err)
	}
	return path, nil
}

// check says why a file is not the wanted command as a static Linux binary. A
// test's binary, and rehearse under another name, are told by their build information.
func (s binarySource) check(path, arch string) error {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return fmt.Errorf("use %s: %w", path, err)
	}
	if info.Path != s.command {
		return fmt.Errorf("use %s: it is %s, want %s", path, info.Path, s.command)
	}
	file, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("use %s: not a Linux binary: %w", path, err)
	}
	defer file.Close()
	if want := machines[arch]; file.Machine != want {
		return fmt.Errorf("use %s: it is for %s, want %s", path, file.Machine, want)
	}
	for _, program := range file.Progs {
		if program.Type == elf.PT_INTERP {
			return fmt.Errorf("use %s: it is linked dynamically (build it with CGO_ENABLED=0)", path)
		}
	}
	return nil
}

// machines are the architectures that containers may have, as GOARCH names them.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// sourceRoot finds a checkout of the module above the current folder, or above
// the executable.
func (s binarySource) sourceRoot() (string, error) {
	var from []string
	if dir, err := os.Getwd(); err == nil {
		from = append(from, dir)
	}
	if s.executable != "" {
		from = append(from, filepath.Dir(s.executable))
	}
	for _, dir := range from {
		for last := ""; dir != last; last, dir = dir, filepath.Dir(dir) {
			if isModule(filepath.Join(dir, "go.mod")) {
				return dir, nil
			}
		}
	}
	return "", fmt.Errorf("build from source: no checkout of %s at or above %s", modulePath, strings.Join(from, " or "))
}

func isModule(file string) bool {
	data, err := source.ReadFile(file, source.MaxBytes)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) == 2 && fields[0] == "module" {
			return fields[1] == modulePath
		}
	}
	return false
}

// build cross-compiles the command. Go's own cache makes that quick when
// nothing has changed; a lock keeps two runs from writing the same file.
func (s binarySource) build(ctx context.Context, root, arch string) (_ string, err error) {
	tool, err := exec.LookPath("go")
	if err != nil {
		return "", fmt.Errorf("build from source in %s: %w", root, err)
	}
	dir := filepath.Join(s.cache, "linux-"+arch)
	if err := leftover.MakePrivate(dir); err != nil { // what is in it is run
		return "", fmt.Errorf("build from source: %w", err)
	}
	path := filepath.Join(dir, filepath.Base(s.command))
	unlock, err := lock(ctx, path+".lock", func() { s.progress("waiting for another run that builds the binary for containers") })
	if err != nil {
		return "", fmt.Errorf("build from source: %w", err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if _, err := os.Stat(path); err != nil {
		s.progress("building a static Linux binary for containers (the first time takes a minute)")
	}
	// Not stamped with the state of the checkout: the same source is the same
	// binary, and so the same image.
	cmd := exec.CommandContext(ctx, tool, "build", "-trimpath", "-buildvcs=false", "-race=false",
		"-ldflags=-s -w", "-o", path, s.command)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build from source in %s: %w: %s", root, err, strings.TrimSpace(string(out)))
	}
	return path, s.check(path, arch)
}
