package launch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/rehearse-dev/rehearse/harness/atomicfile"
	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// Folders are those of the services of one run on this machine, for the files that are
// written for them. Nobody but this user gets in, and they are gone with the run. It is
// safe for concurrent use, but for two that write the files of one service.
type Folders struct {
	record *leftover.Record
	mu     sync.Mutex
	root   string // "": none was asked for yet
}

var _ world.Files = (*Folders)(nil)

// NewFolders are those of a run, of which none is made yet.
func NewFolders(record *leftover.Record) *Folders { return &Folders{record: record} }

// Folder is the absolute path of a service's folder, which is made with its first file.
func (f *Folders) Folder(service string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.root == "" {
		root, err := os.MkdirTemp("", leftover.FolderName(f.record.Run()))
		if err != nil {
			return "", fmt.Errorf("make a folder for the consumers' files: %w", err)
		}
		if err := f.record.AddFolder(root); err != nil {
			return "", err
		}
		f.root = root
	}
	return filepath.Join(f.root, service), nil
}

// WriteFiles writes the files of a service as a kubelet writes a volume.
func (f *Folders) WriteFiles(_ context.Context, service string, contents map[string][]byte) error {
	folder, err := f.Folder(service)
	if err != nil {
		return err
	}
	return atomicfile.WriteAll(folder, contents)
}

// Remove removes all of them, once nobody reads them any more.
func (f *Folders) Remove() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	root := f.root
	f.root = ""
	if root == "" {
		return nil
	}
	return os.RemoveAll(root)
}
