package docker

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
)

// The labels of all containers and networks of a run.
const (
	// LabelRun is the run's name.
	LabelRun = "dev.rehearse.run"
	// LabelHarness is the process that started it: PID:START (leftover.Identity).
	LabelHarness = "dev.rehearse.harness"
	// LabelHost is where that process lives (leftover.Host).
	LabelHost = "dev.rehearse.host"
)

func labelsOf(r *leftover.Record) map[string]string {
	return map[string]string{LabelRun: r.Run(), LabelHarness: r.Harness().String(), LabelHost: r.Host()}
}

// Leftovers are the containers and networks of dead runs on the engine of this
// machine. Where no engine answers there are none to be seen, and Sweep does nothing.
type Leftovers struct{}

var _ leftover.Engine = Leftovers{}

// Sweep removes what belongs to runs that dead says are over.
func (Leftovers) Sweep(ctx context.Context, dead func(host string, harness leftover.Identity, running bool) bool) ([]string, error) {
	e, err := connect(ctx)
	if errors.Is(err, ErrNoEngine) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer e.Close()
	containers, err := e.ContainerList(ctx, client.ContainerListOptions{Filters: client.Filters{}.Add("label", LabelRun)}) // those that run
	if err != nil {
		return nil, fmt.Errorf("list containers of %s: %w", LabelRun, err)
	}
	running := map[string]bool{}
	for _, c := range containers.Items {
		running[c.Labels[LabelRun]] = true
	}
	return e.remove(ctx, LabelRun, func(labels map[string]string) bool {
		harness, err := leftover.ParseIdentity(labels[LabelHarness])
		return err == nil && dead(labels[LabelHost], harness, running[labels[LabelRun]])
	})
}

// removal takes what was sealed for a container with it.
var removal = client.ContainerRemoveOptions{Force: true, RemoveVolumes: true}

// remove removes containers, and then networks, that carry a label (NAME or
// NAME=VALUE) and that mine takes for its own. What is gone already, or being
// removed by somebody else, is no error.
func (e *engine) remove(ctx context.Context, label string, mine func(labels map[string]string) bool) (removed []string, err error) {
	filter := client.Filters{}.Add("label", label)
	containers, err := e.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filter})
	if err != nil {
		return nil, fmt.Errorf("list containers of %s: %w", label, err)
	}
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs []error
	)
	done := func(what string, err error) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err == nil:
			removed = append(removed, what)
		case errdefs.IsNotFound(err), strings.Contains(err.Error(), "is already in progress"):
		default:
			errs = append(errs, fmt.Errorf("remove %s: %w", what, err))
		}
	}
	for _, c := range containers.Items {
		if mine(c.Labels) {
			wg.Go(func() {
				_, err := e.ContainerRemove(ctx, c.ID, removal)
				done("container "+strings.TrimPrefix(slices.Concat(c.Names, []string{c.ID})[0], "/"), err)
			})
		}
	}
	wg.Wait()
	networks, err := e.NetworkList(ctx, client.NetworkListOptions{Filters: filter})
	if err != nil {
		return removed, errors.Join(append(errs, fmt.Errorf("list networks of %s: %w", label, err))...)
	}
	for _, n := range networks.Items {
		if mine(n.Labels) {
			_, err := e.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{})
			done("network "+n.Name, err)
		}
	}
	slices.Sort(removed)
	return removed, errors.Join(errs...)
}

// cachedImage is the name of an image that was made of a binary.
var cachedImage = regexp.MustCompile(`^` + imageName + `:[0-9a-f]{12}$`)

// RemoveImages removes the images that stand-ins were run from. They are kept
// between runs, since making one takes seconds; one that a container still uses
// stays, and is no error. It names those that it removed.
func RemoveImages(ctx context.Context) (removed []string, err error) {
	e, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	images, err := e.ImageList(ctx, client.ImageListOptions{Filters: client.Filters{}.Add("reference", imageName)})
	if err != nil {
		return nil, fmt.Errorf("list images: %w", err)
	}
	var errs []error
	for _, i := range images.Items {
		for _, tag := range i.RepoTags {
			if !cachedImage.MatchString(tag) {
				continue
			}
			_, err := e.ImageRemove(ctx, tag, client.ImageRemoveOptions{PruneChildren: true})
			switch {
			case err == nil:
				removed = append(removed, tag)
			case errdefs.IsNotFound(err), errdefs.IsConflict(err):
			default:
				errs = append(errs, fmt.Errorf("remove image %s: %w", tag, err))
			}
		}
	}
	return removed, errors.Join(errs...)
}
