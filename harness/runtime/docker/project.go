package docker

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"

	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
)

// The labels by which docker compose, 1 and 2, marks its containers.
const (
	labelProject = "com.docker.compose.project"
	labelService = "com.docker.compose.service"
)

// reopen is the wait before a log that broke off is opened again.
const reopen = 200 * time.Millisecond

// Project is a docker compose project that runs already. It is looked at, and
// nothing of it is started or stopped.
type Project struct {
	Name    string
	engine  *engine
	members map[string][]Member
}

// Member is a running container of a project's service.
type Member struct {
	ID, Name, Image string
	Published       map[int]string // container port → address on this machine
	Address         string         // of the container on its network; "" where it has none
	Exposed         []int          // all of its TCP ports
}

// OpenProject finds the running containers of a project on this machine's
// engine. That there is none is an error.
func OpenProject(ctx context.Context, name string) (*Project, error) {
	e, err := connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("attach to the compose project %s: %w", name, err)
	}
	p := &Project{Name: name, engine: e, members: map[string][]Member{}}
	found, err := e.ContainerList(ctx, client.ContainerListOptions{Filters: client.Filters{}.Add("label", labelProject+"="+name)})
	if err == nil && len(found.Items) == 0 {
		err = fmt.Errorf("no container of it runs: `docker compose -p %s up -d` brings it up", name)
	}
	if err != nil {
		_ = e.Close() // it was only asked
		return nil, fmt.Errorf("attach to the compose project %s: %w", name, err)
	}
	for _, c := range found.Items {
		m := Member{ID: c.ID, Name: strings.TrimPrefix(slices.Concat(c.Names, []string{c.ID})[0], "/"), Image: c.Image, Published: map[int]string{}}
		for _, port := range c.Ports {
			if port.Type != "tcp" {
				continue
			}
			if !slices.Contains(m.Exposed, int(port.PrivatePort)) {
				m.Exposed = append(m.Exposed, int(port.PrivatePort))
			}
			if port.PublicPort != 0 && (port.IP.Is4() || !port.IP.IsValid()) {
				host := "127.0.0.1"
				if port.IP.IsValid() && !port.IP.IsUnspecified() {
					host = port.IP.String()
				}
				m.Published[int(port.PrivatePort)] = host + ":" + strconv.Itoa(int(port.PublicPort))
			}
		}
		if c.NetworkSettings != nil {
			for _, network := range slices.Sorted(maps.Keys(c.NetworkSettings.Networks)) {
				if ip := c.NetworkSettings.Networks[network].IPAddress; ip.IsValid() && m.Address == "" {
					m.Address = ip.String()
				}
			}
		}
		service := c.Labels[labelService]
		p.members[service] = append(p.members[service], m)
	}
	return p, nil
}

// Services are the names of the project's services that run, sorted.
func (p *Project) Services() []string { return slices.Sorted(maps.Keys(p.members)) }

// Members are the containers of a service.
func (p *Project) Members(service string) []Member { return p.members[service] }

// Settings are the environment, the command and the labels of a container. They
// may hold secrets.
func (p *Project) Settings(ctx context.Context, id string) ([]string, error) {
	found, err := p.engine.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil || found.Container.Config == nil {
		return nil, fmt.Errorf("ask for the settings of a container of %s: %w", p.Name, err)
	}
	c := found.Container.Config
	return slices.Concat(c.Env, c.Entrypoint, c.Cmd, slices.Collect(maps.Values(c.Labels))), nil
}

// Close lets the engine go.
func (p *Project) Close() error { return p.engine.Close() }

// Recent are the last lines of a container's log, at most n of each output.
func (p *Project) Recent(ctx context.Context, id string, n int) ([][]byte, error) {
	var lines [][]byte
	err := p.read(ctx, id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: strconv.Itoa(n)},
		func(line []byte) { lines = append(lines, line) })
	return lines, err
}

// Follow delivers what a container logs from a moment on, until ctx ends. It
// returns earlier, with how it ended, where the container does.
func (p *Project) Follow(ctx context.Context, id string, since time.Time, sink func(line []byte)) error {
	for {
		from := fmt.Sprintf("%d.%09d", since.Unix(), since.Nanosecond())
		broken := p.read(ctx, id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Follow: true, Since: from}, sink)
		since = time.Now()
		if ctx.Err() != nil {
			return nil
		}
		found, err := p.engine.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("ask how it ended: %w", err)
		case !found.Container.State.Running:
			return fmt.Errorf("exit status %d", found.Container.State.ExitCode)
		case broken != nil:
			return broken
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(reopen):
		}
	}
}

// read reads a log as its options say, line by line. The two outputs are one
// where the container has a terminal.
func (p *Project) read(ctx context.Context, id string, o client.ContainerLogsOptions, sink func(line []byte)) error {
	found, err := p.engine.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return fmt.Errorf("open its log: %w", err)
	}
	log, err := p.engine.ContainerLogs(ctx, id, o)
	if err != nil {
		return fmt.Errorf("open its log: %w", err)
	}
	defer log.Close()
	stdout, stderr := &launch.Lines{Deliver: sink}, &launch.Lines{Deliver: sink}
	defer func() {
		_ = stdout.Close() // Lines never fail
		_ = stderr.Close()
	}()
	if found.Container.Config != nil && found.Container.Config.Tty {
		_, err = io.Copy(stdout, log)
	} else {
		_, err = stdcopy.StdCopy(stdout, stderr, log)
	}
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("read its log: %w", err)
	}
	return nil
}
