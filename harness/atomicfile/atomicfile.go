// Package atomicfile writes files into a folder as the kubelet writes a secret
// into a volume: whoever reads it finds the old content or the new one, and
// never half of either.
//
//	folder/secret.json   ─► ..data/secret.json
//	folder/..data        ─► ..1764000000000000000   (replaced by one rename)
//	folder/..1764…/secret.json
//
// The shape is that of AtomicWriter in k8s.io/kubernetes/pkg/volume/util.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// current is the link that is replaced.
	current = "..data"
	// next is the link that replaces it.
	next = "..data_tmp"
)

// Whoever runs a consumer may be another user than who runs the harness: the
// folder above is what keeps others out.
const (
	folderMode = 0o755
	fileMode   = 0o444
)

// Write is WriteAll of one file.
func Write(folder, file string, content []byte) error {
	return WriteAll(folder, map[string][]byte{file: content})
}

// WriteAll makes contents those of files by their names, all at once, and makes
// the folder if there is none. What was there before is gone when it returns.
// Errors name paths, and nothing of a content. It is not safe for concurrent use
// on one folder, whose files are always the same.
func WriteAll(folder string, contents map[string][]byte) error {
	file := strings.Join(slices.Sorted(maps.Keys(contents)), ", ")
	if err := mkdir(folder); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	before, err := os.Readlink(filepath.Join(folder, current))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write %s: %w", file, err)
	}
	version := ".." + strconv.FormatInt(time.Now().UnixNano(), 10)
	for name, content := range contents {
		if err := fill(filepath.Join(folder, version), name, content); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	if err := swap(folder, version); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	for name := range contents {
		link := filepath.Join(folder, name)
		if err := os.Symlink(filepath.Join(current, name), link); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	if before == "" || !strings.HasPrefix(before, "..") || strings.ContainsRune(before, filepath.Separator) {
		return nil
	}
	if err := os.RemoveAll(filepath.Join(folder, before)); err != nil {
		return fmt.Errorf("remove the old %s: %w", file, err)
	}
	return nil
}

// mkdir makes a folder that others can read, whatever the umask is.
func mkdir(folder string) error {
	if err := os.MkdirAll(folder, folderMode); err != nil {
		return err
	}
	return os.Chmod(folder, folderMode)
}

// fill makes a version.
func fill(folder, file string, content []byte) error {
	if err := mkdir(folder); err != nil {
		return err
	}
	path := filepath.Join(folder, file)
	if err := os.WriteFile(path, content, fileMode); err != nil {
		return err
	}
	return os.Chmod(path, fileMode)
}

// swap makes a version the current one, at once.
func swap(folder, version string) error {
	link := filepath.Join(folder, next)
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(version, link); err != nil {
		return err
	}
	return os.Rename(link, filepath.Join(folder, current))
}
