package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/rehearse-dev/rehearse/harness/lint"
	"github.com/rehearse-dev/rehearse/harness/runtime/docker"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// composeServices are the services of a compose file, or, where there is no
// such file, of the project of that name that runs.
func composeServices(ctx context.Context, name string) ([]lint.ProjectService, error) {
	text, err := source.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(name, "./") {
		return runningServices(ctx, name)
	}
	if err != nil {
		return nil, usage(fmt.Errorf("read compose file: %w", err))
	}
	var file struct {
		Services map[string]any `yaml:"services"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, usage(fmt.Errorf("read compose file %s: %w", name, err))
	}
	if len(file.Services) == 0 {
		return nil, usage(fmt.Errorf("read compose file %s: it has no services", name))
	}
	var services []lint.ProjectService
	lines := strings.Split(string(text), "\n")
	for service, settings := range file.Services {
		s := lint.ProjectService{Position: source.Position{File: name, Line: 1, Column: 1}, Name: service}
		for i, line := range lines {
			if bare := strings.TrimLeft(line, " "); len(bare) < len(line) && strings.HasPrefix(bare, service+":") {
				s.Line, s.Column = i+1, len(line)-len(bare)+1
				break
			}
		}
		texts(settings, func(text string) { s.Settings = append(s.Settings, text) })
		services = append(services, s)
	}
	slices.SortFunc(services, func(a, b lint.ProjectService) int { return strings.Compare(a.Name, b.Name) })
	return services, nil
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

// texts calls f with every text in a value of a document.
func texts(value any, f func(string)) {
	switch value := value.(type) {
	case string:
		f(value)
	case []any:
		for _, child := range value {
			texts(child, f)
		}
	case map[string]any:
		for _, child := range value {
			texts(child, f)
		}
	}
}
