package docker

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/rehearse-dev/rehearse/harness/source"
	"github.com/rehearse-dev/rehearse/harness/world"
)

const (
	// builtImage is the repository of images that are built of a folder, tagged by
	// the hash of what is in it.
	builtImage = "rehearse-built"
	// maxContext bounds what is sent to the engine to build an image of.
	maxContext = 256 << 20
)

// building lets one build of this process run at a time: several rehearsals may
// ask for the same image.
var building sync.Mutex

// build makes an image of a folder, unless the engine has it already.
func (e *engine) build(ctx context.Context, b world.Build, progress func(string)) (string, error) {
	building.Lock()
	defer building.Unlock()
	dockerfile := cmp.Or(b.Dockerfile, "Dockerfile")
	packed, err := pack(b.Context)
	if err != nil {
		return "", fmt.Errorf("build an image: %w", err)
	}
	hash := sha256.Sum256(append([]byte(dockerfile+"\n"), packed...))
	name := builtImage + ":" + hex.EncodeToString(hash[:])[:12]
	if _, err := e.ImageInspect(ctx, name); err == nil {
		return name, nil
	} else if !errdefs.IsNotFound(err) {
		return "", fmt.Errorf("look for image %s: %w", name, err)
	}
	progress("building image " + name)
	answer, err := e.ImageBuild(ctx, bytes.NewReader(packed), client.ImageBuildOptions{
		Tags: []string{name}, Dockerfile: dockerfile, Remove: true, ForceRemove: true,
	})
	if err != nil {
		return "", fmt.Errorf("%w: build image %s: %w", world.ErrNoImage, name, err)
	}
	defer answer.Body.Close()
	if err := built(answer.Body); err != nil {
		return "", fmt.Errorf("%w: build image %s: %w", world.ErrNoImage, name, err)
	}
	return name, nil
}

// BuildImages makes an image of each of builds that the engine does not have yet,
// one after the other; ErrNoEngine where none answers. One that fails does not
// keep the others from being built.
func BuildImages(ctx context.Context, builds []world.Build, progress func(string)) error {
	e, err := connect(ctx)
	if err != nil {
		return err
	}
	defer e.Close()
	var errs []error
	for _, b := range builds {
		if ctx.Err() != nil {
			break
		}
		if _, err := e.build(ctx, b, progress); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// pack is a folder as the engine wants it, the same for the same content.
func pack(folder fs.FS) ([]byte, error) {
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	err := fs.WalkDir(folder, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := source.ReadIn(folder, path, maxContext)
		if err != nil {
			return err
		}
		if packed.Len()+len(content) > maxContext {
			return fmt.Errorf("its context is larger than %d MiB", maxContext>>20)
		}
		// Modes differ between a checkout and what is embedded in the binary.
		if err := w.WriteHeader(&tar.Header{Name: path, Mode: 0o755, Size: int64(len(content))}); err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	})
	return packed.Bytes(), errors.Join(err, w.Close())
}

// lastLines is how much of a build's output an error has.
const lastLines = 5

// built reads the engine's answer to its end; the error is that of the build,
// with the last of what it printed.
func built(answer io.Reader) error {
	var printed []string
	decoder := json.NewDecoder(answer)
	for {
		var line struct {
			Stream string `json:"stream"`
			Error  string `json:"error"`
		}
		if err := decoder.Decode(&line); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read what the engine says: %w", err)
		}
		if text := strings.TrimSpace(line.Stream); text != "" {
			printed = append(printed, text)
			printed = printed[max(0, len(printed)-lastLines):]
		}
		if line.Error != "" {
			return fmt.Errorf("%s; the last that it printed: %s", line.Error, strings.Join(printed, " · "))
		}
	}
}
