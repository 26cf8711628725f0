package source

import (
	"fmt"
	"io"
	"io/fs"
	"os"
)

// OpenIn opens a regular file of a file system. What is none is refused before it is
// opened: to open a pipe waits for somebody who writes to it, and a device has no end.
func OpenIn(fsys fs.FS, name string) (fs.File, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if err := regular(name, info); err != nil {
		return nil, err
	}
	file, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	return file, stored(name, file)
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
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return file, stored(path, file)
}

// ReadIn reads a regular file of a file system that has no more bytes than most.
func ReadIn(fsys fs.FS, name string, most int64) ([]byte, error) {
	file, err := OpenIn(fsys, name)
	if err != nil {
		return nil, err
	}
	return all(name, file, most)
}

// ReadFile reads a regular file of the operating system that has no more bytes than most.
func ReadFile(path string, most int64) ([]byte, error) {
	file, err := Open(path)
	if err != nil {
		return nil, err
	}
	return all(path, file, most)
}

// all reads a file to its end, and closes it.
func all(name string, file fs.File, most int64) ([]byte, error) {
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(content)) > most {
		err = &fs.PathError{Op: "read", Path: name, Err: unread("is larger than " + size(most))}
	}
	if err != nil {
		return nil, err
	}
	return content, nil
}

// size is a number of bytes for a person.
func size(bytes int64) string {
	if bytes < 1<<20 {
		return fmt.Sprintf("%d bytes", bytes)
	}
	return fmt.Sprintf("%d MiB", bytes>>20)
}

// regular refuses other files by what they are.
func regular(name string, info fs.FileInfo) error {
	if info.Mode().IsRegular() {
		return nil
	}
	return notStored(name, describe(info.Mode()))
}

// stored closes, and refuses, what only looks like a file: the kernel's own, of which some
// have no end, and others wait for something to happen.
func stored(name string, file fs.File) error {
	if f, ok := file.(*os.File); ok && ofTheKernel(f) {
		file.Close()
		return notStored(name, "a view into the kernel")
	}
	return nil
}

func notStored(name, what string) error {
	return &fs.PathError{Op: "read", Path: name, Err: unread("is not a file but " + what)}
}

// unread is why a file is not read that could be.
type unread string

func (e unread) Error() string { return string(e) }
