package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
	tcnetwork "github.com/testcontainers/testcontainers-go/network"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// create makes the container without starting it.
func (s *service) create(ctx context.Context) error {
	if err := s.provide(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.holdPorts(); err != nil {
		return err
	}
	options, err := s.options()
	if err != nil {
		return err
	}
	// Not cut short half-way: what is made must be known.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askWithin)
	defer cancel()
	s.container, err = testcontainers.Run(ctx, s.image(), options...)
	if err != nil {
		return err
	}
	if err := s.give(ctx); err != nil {
		return err
	}
	if s.spec.Base != "" {
		s.runtime.mu.Lock()
		binary := s.runtime.binary
		s.runtime.mu.Unlock()
		if err := s.runtime.engine.copyBinary(ctx, s.container.GetContainerID(), binary); err != nil {
			return err
		}
	}
	s.log = &logReader{engine: s.runtime.engine, id: s.container.GetContainerID(), sink: func(line []byte) {
		s.runtime.o.Sink(s.spec.Name, line)
	}}
	return nil
}

// provide makes sure that the engine has the image of a service of a team's own.
func (s *service) provide(ctx context.Context) error {
	if s.spec.Image != "" {
		return s.runtime.engine.have(ctx, s.spec.Image, s.runtime.o.Progress)
	}
	if s.spec.Build == nil {
		return nil
	}
	image, err := s.runtime.engine.build(ctx, *s.spec.Build, s.runtime.o.Progress)
	if err == nil {
		s.spec.Image = image
	}
	return err
}

// give copies its files into the container, which was not started yet.
func (s *service) give(ctx context.Context) error {
	s.runtime.mu.Lock()
	files, err := s.runtime.addresses.Files(s.spec)
	var sealed map[string]string
	if err == nil {
		_, sealed, err = s.runtime.addresses.Variables(s.spec)
	}
	s.runtime.mu.Unlock()
	if err != nil {
		return err
	}
	if sealed != nil {
		user := noUser
		if s.spec.Base != "" {
			user = 0
		}
		if err := s.runtime.engine.seal(ctx, s.container.GetContainerID(), user, sealed); err != nil {
			return err
		}
	}
	for path, content := range files {
		if err := s.container.CopyToContainer(ctx, []byte(content), path, 0o444); err != nil {
			return fmt.Errorf("copy %s: %w", path, err)
		}
	}
	for _, volume := range s.spec.Volumes {
		if err := s.runtime.engine.copyVolume(ctx, s.container.GetContainerID(), volume); err != nil {
			return fmt.Errorf("copy %s: %w", volume.To, err)
		}
	}
	if len(s.spec.Links) == 0 {
		return nil
	}
	links, err := linked(s.spec.Links)
	if err != nil {
		return err
	}
	_, err = s.runtime.engine.CopyToContainer(ctx, s.container.GetContainerID(), client.CopyToContainerOptions{DestinationPath: "/", Content: links})
	if err != nil {
		return fmt.Errorf("make %s: %w", strings.Join(slices.Sorted(maps.Keys(s.spec.Links)), ", "), err)
	}
	return nil
}

// linked is an archive of symbolic links by their absolute paths: a file that is
// replaced is found at its path again, which one that is mounted by itself is not.
func linked(links map[string]string) (io.Reader, error) {
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	for _, path := range slices.Sorted(maps.Keys(links)) {
		header := &tar.Header{Typeflag: tar.TypeSymlink, Name: strings.TrimPrefix(path, "/"), Linkname: links[path], Mode: 0o777}
		if err := w.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("make %s: %w", path, err)
		}
	}
	return &packed, w.Close()
}

func (s *service) image() string {
	if s.spec.Image != "" {
		return s.spec.Image
	}
	if s.spec.Base != "" {
		return s.spec.Base
	}
	s.runtime.mu.Lock()
	defer s.runtime.mu.Unlock()
	return s.runtime.image
}

func (s *service) options() ([]testcontainers.ContainerCustomizer, error) {
	s.runtime.mu.Lock()
	defer s.runtime.mu.Unlock()
	addresses, inside := s.runtime.addresses, s.runtime.network
	environment, _, err := addresses.Variables(s.spec)
	if err != nil {
		return nil, err
	}
	command, err := addresses.Command(s.spec)
	if err != nil {
		return nil, err
	}
	if s.spec.Serve != "" {
		command = []string{"serve", s.spec.Serve}
		environment[contract.SealedFileVariable] = sealedFile
		environment[contract.ListenVariable] = ":" + strconv.Itoa(standInPort)
	}
	options := []testcontainers.ContainerCustomizer{
		testcontainers.WithNoStart(),
		testcontainers.WithLogger(log.NewNoopLogger()),
		testcontainers.WithName(s.containerName()),
		testcontainers.WithLabels(labelsOf(s.runtime.o.Record)),
		testcontainers.WithEnv(environment),
		testcontainers.WithCmd(command...),
		tcnetwork.WithNetworkName(s.aliases(), inside),
	}
	switch {
	case s.spec.Base != "":
		options = append(options, testcontainers.WithEntrypoint(binaryPath))
	case len(s.spec.Entrypoint) > 0:
		options = append(options, testcontainers.WithEntrypoint(s.spec.Entrypoint...))
	}
	user := s.spec.User
	if s.spec.Base != "" {
		user = "0:0" // whatever the image says: see serverRights
	}
	if user != "" {
		options = append(options, testcontainers.WithConfigModifier(func(c *container.Config) { c.User = user }))
	}
	bindings := network.PortMap{}
	for _, p := range s.ports {
		port, ok := network.PortFrom(uint16(p.inside), network.TCP)
		if !ok || p.inside > 65535 {
			return nil, fmt.Errorf("port %d: want 1 to 65535", p.inside)
		}
		bindings[port] = []network.PortBinding{{HostIP: netip.AddrFrom4([4]byte{127, 0, 0, 1}), HostPort: strconv.Itoa(p.outside)}}
		options = append(options, testcontainers.WithExposedPorts(port.String()))
	}
	return append(options, testcontainers.WithHostConfigModifier(func(h *container.HostConfig) {
		h.PortBindings = bindings
		confine(h, s.spec)
		if s.spec.Serve != "" {
			h.Mounts = append(h.Mounts, sealedMount(s.runtime.o.Record))
		}
		if folder := s.spec.Folder; folder != "" {
			// z: where the engine labels files (SELinux) this one may be read.
			h.Binds = append(h.Binds, folder+":"+folder+":ro,z")
		}
		// Whatever the engine's default is: one that can be read, and that
		// throws nothing away while the run lasts.
		h.LogConfig = container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "100g"}}
	})), nil
}

// containerName is unique on the engine.
func (s *service) containerName() string {
	name := "rehearse-" + s.runtime.o.Record.Run() + "-" + s.spec.Name
	if s.nth > 0 {
		name += "." + strconv.Itoa(s.nth)
	}
	if s.job > 0 {
		name += ".init." + strconv.Itoa(s.job)
	}
	return name
}

// aliases are the names by which others find it.
func (s *service) aliases() []string {
	if s.job > 0 {
		return nil
	}
	return []string{s.spec.Name}
}

// initialize runs a command before the service, in a container of its own, to its end.
func (s *service) initialize(ctx context.Context, n int, spec world.Spec) error {
	job := &service{runtime: s.runtime, spec: spec, nth: s.nth, job: n + 1}
	err := job.create(ctx)
	if err == nil {
		err = job.run(ctx)
	}
	return errors.Join(err, job.discard(ctx))
}
