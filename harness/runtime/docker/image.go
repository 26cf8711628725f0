package docker

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/rehearse-dev/rehearse/harness/world"
)

const (
	// imageName is the repository of images made on this machine, tagged by
	// the hash of what is in them.
	imageName = "rehearse"
	// releasedImage is the repository of released images, tagged by version.
	releasedImage = "ghcr.io/rehearse-dev/rehearse"
	// binaryPath is where the binary of stand-ins is in their containers.
	binaryPath = "/rehearse"
	// noUser is the user and group that stand-ins run as: nobody in most systems.
	noUser = 65534
)

// standInImage is the name of an image whose entry point is rehearse: one made
// of a static binary where there is or can be one, else the released one.
func (e *engine) standInImage(ctx context.Context, source binarySource) (string, error) {
	binary, notBuilt := source.find(ctx, e.version.Arch)
	if notBuilt == nil {
		return e.importBinary(ctx, binary, source)
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("make an image for stand-ins: %w", ctx.Err())
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "", fmt.Errorf("make an image for stand-ins (as processes, --runtime process, they need none): %w",
			errors.Join(notBuilt, errors.New("pull a released image: this build has no version")))
	}
	released := releasedImage + ":" + info.Main.Version
	if err := e.have(ctx, released, source.progress); err != nil {
		return "", fmt.Errorf("make an image for stand-ins (as processes, --runtime process, they need none): %w", errors.Join(notBuilt, err))
	}
	return released, nil
}

// importLock is the file, beside the binaries, that lets one run of this user's
// at a time look for the image and make it: engines keep what loses such a race
// as an image without a name.
const importLock = "image.lock"

// importBinary makes an image that holds nothing but a binary (as FROM scratch
// does), unless the engine has it already. Importing a file system needs none of
// the builders that engines have and have not.
func (e *engine) importBinary(ctx context.Context, path string, source binarySource) (_ string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("make an image: %w", err)
	}
	defer file.Close()
	changes := []string{`ENTRYPOINT ["` + binaryPath + `"]`, fmt.Sprintf("USER %d:%[1]d", noUser)}
	hash := sha256.New()
	size, err := io.Copy(hash, file)
	if err != nil {
		return "", fmt.Errorf("make an image: read %s: %w", path, err)
	}
	hash.Write([]byte(strings.Join(changes, "\n"))) // a hash's Write never fails
	tag := hex.EncodeToString(hash.Sum(nil))[:12]
	name := imageName + ":" + tag
	unlock, err := lock(ctx, filepath.Join(source.cache, importLock), func() {
		source.progress("waiting for another run that makes image " + name)
	})
	if err != nil {
		return "", fmt.Errorf("make image %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if _, err := e.ImageInspect(ctx, name); err == nil {
		return name, nil
	} else if !errdefs.IsNotFound(err) {
		return "", fmt.Errorf("look for image %s: %w", name, err)
	}
	source.progress("making image " + name)
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", fmt.Errorf("make an image: read %s: %w", path, err)
	}
	out, in := io.Pipe()
	defer out.Close() // ends the writing if the engine does not read on
	go func() { in.CloseWithError(archive(in, file, size)) }()
	answer, err := e.ImageImport(ctx, client.ImageImportSource{Source: out, SourceName: "-"}, imageName,
		client.ImageImportOptions{Tag: tag, Changes: changes, Message: "stand-ins of rehearse"})
	if err != nil {
		return "", fmt.Errorf("make image %s: %w", name, err)
	}
	defer answer.Close()
	if _, err := io.Copy(io.Discard, answer); err != nil {
		return "", fmt.Errorf("make image %s: %w", name, err)
	}
	// An error in the stream of progress leaves no image behind.
	if _, err := e.ImageInspect(ctx, name); err != nil {
		return "", fmt.Errorf("make image %s: %w", name, err)
	}
	return name, nil
}

// copyBinary puts the binary of stand-ins into a container of another image.
func (e *engine) copyBinary(ctx context.Context, id, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("copy the binary: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("copy the binary: %w", err)
	}
	out, in := io.Pipe()
	defer out.Close() // ends the writing if the engine does not read on
	go func() { in.CloseWithError(archive(in, file, info.Size())) }()
	if _, err := e.CopyToContainer(ctx, id, client.CopyToContainerOptions{DestinationPath: "/", Content: out}); err != nil {
		return fmt.Errorf("copy the binary: %w", err)
	}
	return nil
}

// archive writes the file system of the image: one file.
func archive(to io.Writer, binary io.Reader, size int64) error {
	w := tar.NewWriter(to)
	if err := w.WriteHeader(&tar.Header{Name: "rehearse", Mode: 0o755, Size: size}); err != nil {
		return err
	}
	if _, err := io.Copy(w, binary); err != nil {
		return err
	}
	return w.Close()
}

// Image is the first of several images that the engine has, or else the first
// that it can pull.
func (r *Runtime) Image(ctx context.Context, images ...string) (string, error) {
	for _, image := range images {
		if _, err := r.engine.ImageInspect(ctx, image); err == nil {
			return image, nil
		}
	}
	var errs []error
	for _, image := range images {
		err := r.engine.have(ctx, image, r.o.Progress)
		if err == nil {
			return image, nil
		}
		errs = append(errs, err)
	}
	return "", errors.Join(errs...)
}

// ImageLabel is a label of an image that the engine has; "" where the image has none
// of that name.
func (r *Runtime) ImageLabel(ctx context.Context, image, name string) (string, error) {
	found, err := r.engine.ImageInspect(ctx, image)
	if err != nil {
		return "", fmt.Errorf("read the labels of image %s: %w", image, err)
	}
	if found.Config == nil {
		return "", nil
	}
	return found.Config.Labels[name], nil
}

// have makes sure that the engine has an image, and pulls it if it must.
func (e *engine) have(ctx context.Context, image string, progress func(string)) error {
	if _, err := e.ImageInspect(ctx, image); err == nil {
		return nil
	} else if !errdefs.IsNotFound(err) {
		return fmt.Errorf("look for image %s: %w", image, err)
	}
	progress("pulling image " + image)
	var options client.ImagePullOptions
	// Without credentials for its registry the image may still be public.
	if _, auth, err := testcontainers.DockerImageAuth(ctx, image); err == nil {
		if options.RegistryAuth, err = authconfig.Encode(auth); err != nil {
			return fmt.Errorf("pull image %s: encode credentials: %w", image, err)
		}
	}
	pull, err := e.ImagePull(ctx, image, options)
	if err == nil {
		err = pull.Wait(ctx)
	}
	if err != nil {
		return fmt.Errorf("%w: the engine does not have %s and could not pull it: %w", world.ErrNoImage, image, err)
	}
	return nil
}
