package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/moby/moby/client"

	"github.com/rehearse-dev/rehearse/harness/source"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// copyVolume copies a file or a folder into a container, where root owns it and
// everybody may read it: a mount would let a rehearsal change a team's own files, and
// there is none of another machine's engine.
func (e *engine) copyVolume(ctx context.Context, container string, v world.Volume) error {
	packed, err := packVolume(v)
	if err != nil {
		return err
	}
	_, err = e.CopyToContainer(ctx, container, client.CopyToContainerOptions{DestinationPath: "/", Content: bytes.NewReader(packed)})
	return err
}

// packVolume is a volume as an archive, by the paths in the container.
func packVolume(v world.Volume) ([]byte, error) {
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	err := fs.WalkDir(v.From, v.Name, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := strings.TrimPrefix(path.Join(v.To, strings.TrimPrefix(file, v.Name)), "/")
		if v.Name == "." {
			to = strings.TrimPrefix(path.Join(v.To, file), "/")
		}
		if entry.IsDir() {
			return w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: to + "/", Mode: 0o755})
		}
		info, err := fs.Stat(v.From, file)
		if err != nil {
			return err
		}
		content, err := source.ReadIn(v.From, file, maxContext)
		if err != nil {
			return err
		}
		if packed.Len()+len(content) > maxContext {
			return fmt.Errorf("it is larger than %d MiB", maxContext>>20)
		}
		if err := w.WriteHeader(&tar.Header{Name: to, Mode: int64(info.Mode().Perm() | 0o444), Size: int64(len(content))}); err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	})
	if err != nil {
		return nil, err
	}
	return packed.Bytes(), w.Close()
}
