package source

import (
	"fmt"
	"io"
	"io/fs"
	"os"
)

// CheckRegular refuses what is no regular file before it is opened: to open a
// pipe waits for somebody who writes to it, and a device has no end.
func CheckRegular(fsys fs.FS, name string) error {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return err
	}
	return regular(name, info)
}

// Open opens a regular file of the operating system for reading.
func Open(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := regular(path, info); err != nil {
		return nil, err
	}
	return os.Open(path)
}

// ReadFile reads a regular file of the operating system.
func ReadFile(path string) ([]byte, error) {
	file, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}

// regular refuses other files by what they are.
func regular(name string, info fs.FileInfo) error {
	if info.Mode().IsRegular() {
		return nil
	}
	return &fs.PathError{Op: "read", Path: name, Err: fmt.Errorf("is not a file but %s", describe(info.Mode()))}
}
