package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/lint"
	"github.com/rehearse-dev/rehearse/harness/runtime/docker"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// composeServices are the services of a compose file or, where there is no such file, of the running
// project of that name.
func composeServices(ctx context.Context, name string) ([]lint.ProjectService, error) {
	document, err := source.ReadForeign(os.DirFS(filepath.Dir(name)), filepath.Base(name), name)
	if errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(name, "./") {
		return runningServices(ctx, name)
	}
	if err != nil {
		return nil, source.AsProblems(name, err)
	}
	return lint.ComposeServices(document)
}

// runningServices are those of a project that runs, by its containers.
func runningServices(ctx context.Context, name string) ([]lint.ProjectService, error) {
	project, err := docker.OpenProject(ctx, name)
	if err != nil {
		return nil, usage(fmt.Errorf("%s is no compose file, and no project that runs: %w", name, err))
	}
	var services []lint.ProjectService
	for _, service := range project.Services() {
		s := lint.ProjectService{Name: service}
		for _, m := range project.Members(service) {
			settings, err := project.Settings(ctx, m.ID)
			if err != nil {
				return nil, errors.Join(err, project.Close())
			}
			s.Settings = append(s.Settings, settings...)
		}
		services = append(services, s)
	}
	return services, project.Close()
}
