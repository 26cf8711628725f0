package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"

	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
)

// sealedFile has what a stand-in is told with tokens in it: the environment of a
// container is in every answer of `docker inspect`.
const sealedFile = "/run/rehearse-sealed/variables.json"

// sealedMount is a volume of one container alone, which goes with it. The root of a
// stand-in cannot be written, not even by the engine, and what is in memory would be
// lost where the container is started again.
func sealedMount(r *leftover.Record) mount.Mount {
	return mount.Mount{Type: mount.TypeVolume, Target: path.Dir(sealedFile), VolumeOptions: &mount.VolumeOptions{Labels: labelsOf(r)}}
}

// seal copies variables into a container, where only one user, and root, can read them.
func (e *engine) seal(ctx context.Context, container string, user int, variables map[string]string) error {
	content, err := json.Marshal(variables)
	if err != nil {
		return fmt.Errorf("encode its configuration: %w", err)
	}
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	err = w.WriteHeader(&tar.Header{Name: path.Base(sealedFile), Uid: user, Gid: user, Mode: 0o400, Size: int64(len(content))})
	if err == nil {
		_, err = w.Write(content)
	}
	if err = errors.Join(err, w.Close()); err == nil {
		_, err = e.CopyToContainer(ctx, container, client.CopyToContainerOptions{DestinationPath: path.Dir(sealedFile), Content: &packed})
	}
	if err != nil {
		return fmt.Errorf("copy its configuration: %w", err)
	}
	return nil
}

// unseal reads what seal wrote.
func (e *engine) unseal(ctx context.Context, container string) (map[string]string, error) {
	copied, err := e.CopyFromContainer(ctx, container, client.CopyFromContainerOptions{SourcePath: sealedFile})
	if err != nil {
		return nil, fmt.Errorf("read the configuration of container %s: %w", container, err)
	}
	defer copied.Content.Close()
	packed := tar.NewReader(copied.Content)
	if _, err := packed.Next(); err != nil {
		return nil, fmt.Errorf("read the configuration of container %s: %w", container, err)
	}
	variables, err := contract.ReadSealed(packed)
	if err != nil {
		return nil, fmt.Errorf("read the configuration of container %s: %w", container, err)
	}
	return variables, nil
}
