package docker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"

	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
)

// ErrNoEngine is in the chain of errors that mean: no engine of use answers.
var ErrNoEngine error = noEngine{}

type noEngine struct{}

func (noEngine) Error() string { return "no container engine" }

// Is says that it is launch.ErrUnavailable too.
func (noEngine) Is(other error) bool { return other == launch.ErrUnavailable }

// availableWithin bounds Available and the finding of an engine.
const availableWithin = 3 * time.Second

// configure sets up the library before its first use; it reads its settings once.
var configure = sync.OnceFunc(func() {
	// Its reaper is an image that may not be had. Runs are labelled and swept
	// instead, with or without one; who asks for the reaper gets it as well.
	const reaper = "TESTCONTAINERS_RYUK_DISABLED"
	if _, set := os.LookupEnv(reaper); !set {
		_ = os.Setenv(reaper, "true") // cannot fail for this name and value
	}
	log.SetDefault(log.NewNoopLogger())
})

// engine is a connection to a container engine.
type engine struct {
	*testcontainers.DockerClient
	version client.ServerVersionResult
}

// connect finds the engine of this machine as the docker command does:
// DOCKER_HOST, else the usual sockets.
func connect(ctx context.Context) (e *engine, err error) {
	configure()
	ctx, cancel := context.WithTimeout(ctx, availableWithin)
	defer cancel()
	defer func() {
		// The library panics where an engine answers one question and not the next.
		if trouble := recover(); trouble != nil {
			e, err = nil, fmt.Errorf("%w: %v", ErrNoEngine, trouble)
		}
	}()
	cli, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoEngine, err)
	}
	version, err := cli.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", ErrNoEngine, err), cli.Close())
	}
	if version.Os != "linux" {
		return nil, errors.Join(fmt.Errorf("%w of use: it runs %s containers, and stand-ins are Linux ones", ErrNoEngine, version.Os), cli.Close())
	}
	if !isLocal(cli.DaemonHost()) {
		return nil, errors.Join(fmt.Errorf("%w of use: %s is another machine, and services are published on loopback only",
			ErrNoEngine, cli.DaemonHost()), cli.Close())
	}
	return &engine{DockerClient: cli, version: version}, nil
}

// isLocal says whether what an engine publishes on its loopback is published on ours.
func isLocal(daemon string) bool {
	u, err := url.Parse(daemon)
	if err != nil {
		return false
	}
	if u.Scheme == "unix" || u.Scheme == "npipe" {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// Available describes the engine that the docker runtime would use, as "docker
// 20.10.24 (API 1.41, linux/amd64)", or says why there is none (ErrNoEngine).
// It takes at most 3 s.
func Available(ctx context.Context) (string, error) {
	e, err := connect(ctx)
	if err != nil {
		return "", err
	}
	defer e.Close()
	return e.describe(), nil
}

func (e *engine) describe() string {
	return fmt.Sprintf("docker %s (API %s, %s/%s)", e.version.Version, e.version.APIVersion, e.version.Os, e.version.Arch)
}
