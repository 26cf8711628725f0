package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/rehearse-dev/rehearse/harness/kubernetes"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
	"github.com/rehearse-dev/rehearse/harness/world"
)

const (
	// name is the one under which this way to run services is asked for.
	name = "kubernetes"
	// releasedImage is the repository of released images, tagged by version.
	releasedImage = "ghcr.io/rehearse-dev/rehearse"
	// answersWithin bounds the first question to a cluster.
	answersWithin = 5 * time.Second
)

// Kind is this way to run services: in a cluster, where it is asked for by name.
func Kind() launch.Kind {
	return launch.Kind{
		Name: name, Images: true,
		Open: func(ctx context.Context, s launch.Settings) (world.Runtime, string, error) {
			r, err := New(ctx, s)
			if err != nil {
				return nil, "", err
			}
			return r, r.where, nil
		},
		Adopt:     adopt,
		Leftovers: func(at launch.Place) leftover.Engine { return Leftovers{at} },
	}
}

// connect finds the cluster of a place and asks it which version it is;
// launch.ErrUnavailable where none answers.
func connect(ctx context.Context, at launch.Place) (*kubernetes.Client, string, error) {
	client, err := kubernetes.Connect(kubernetes.Options{Context: at.Context})
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", launch.ErrUnavailable, err)
	}
	ctx, cancel := context.WithTimeout(ctx, answersWithin)
	defer cancel()
	version, err := client.Version(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", launch.ErrUnavailable, err)
	}
	return client, version, nil
}

// Available describes the cluster that would be used, as "Kubernetes v1.37.2 at
// https://…", or says why there is none (launch.ErrUnavailable). It takes at most 5 s.
func Available(ctx context.Context, at launch.Place) (string, error) {
	client, version, err := connect(ctx, at)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("Kubernetes %s at %s", version, client.Address()), nil
}

// imageOf is the image of rehearse that a cluster is to run.
func imageOf(at launch.Place) (string, error) {
	if at.Image != "" {
		return at.Image, nil
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "", errors.New("this build has no version, so that no released image fits it: name one that the cluster has or can pull (--image)")
	}
	return releasedImage + ":" + info.Main.Version, nil
}
