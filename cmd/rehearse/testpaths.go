package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/source"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// builtIn is the path that means all built-in scenarios, where no such folder exists.
const builtIn = "scenarios"

// plansToTest loads and plans every scenario at some paths. It reports all problems of all of them,
// before anything is started. Attached scenarios are left out unless named themselves.
func plansToTest(paths []string, o plan.Options) (plans []*plan.Plan, leftOut []string, err error) {
	var problems source.Problems
	for _, path := range paths {
		names, err := scenariosAt(path)
		if err != nil {
			return nil, nil, err
		}
		for _, name := range names {
			p, err := planToTest(name, o)
			if found, ok := errors.AsType[source.Problems](err); ok {
				problems = append(problems, found...)
			} else if err != nil {
				return nil, nil, err
			} else if p.Rehearsal.Attach != nil && name != path {
				leftOut = append(leftOut, p.Name)
			} else {
				plans = append(plans, p)
			}
		}
	}
	if err := problems.Err(); err != nil {
		return nil, nil, err
	}
	if len(plans) == 0 && len(leftOut) > 0 {
		return nil, leftOut, usage(fmt.Errorf("no scenario at %q but those that need a system that runs already: name them one by one", paths))
	}
	if len(plans) == 0 {
		return nil, leftOut, usage(fmt.Errorf("no scenario at %q", paths))
	}
	return plans, leftOut, twice(plans)
}

// shardOf is a part of the plans, "part/of" of them: every of-th, from the part-th
// on, so that the families are spread. "" is all of them.
func shardOf(shard string, plans []*plan.Plan) ([]*plan.Plan, error) {
	if shard == "" {
		return plans, nil
	}
	part, of, _ := strings.Cut(shard, "/")
	k, err := strconv.Atoi(part)
	n, err2 := strconv.Atoi(of)
	if err != nil || err2 != nil || k < 1 || k > n {
		return nil, usage(fmt.Errorf("--shard: %q is not part/of, as 1/2", shard))
	}
	var taken []*plan.Plan
	for i := k - 1; i < len(plans); i += n {
		taken = append(taken, plans[i])
	}
	if len(taken) == 0 {
		return nil, usage(fmt.Errorf("--shard: %d scenarios have no part %s", len(plans), shard))
	}
	return taken, nil
}

// planToTest requires a scenario to say what it expects.
func planToTest(name string, o plan.Options) (*plan.Plan, error) {
	loaded, err := loadScenario(name)
	if err != nil {
		return nil, err
	}
	if loaded.Scenario.Expect == nil {
		return nil, source.Problems{{
			Position: loaded.Position("expect"), Path: "expect", Message: "is missing: there is nothing to test against",
			Hint: "as expect: {verdict: pass}, or use `rehearse run`",
		}}
	}
	return plan.Build(loaded, o)
}

// twice refuses scenarios whose runs would share a folder.
func twice(plans []*plan.Plan) error {
	seen := map[string]string{}
	for _, p := range plans {
		folder := folderOf(p.Name)
		switch other, ok := seen[folder]; {
		case ok && other == p.Name:
			return usage(fmt.Errorf("two scenarios are called %s: test them one after the other", p.Name))
		case ok:
			return usage(fmt.Errorf("%s and %s would have one folder, %s: test them one after the other", other, p.Name, folder))
		}
		seen[folder] = p.Name
	}
	return nil
}

// scenariosAt names the scenarios at a path, as loadScenario takes them.
func scenariosAt(path string) ([]string, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && path == builtIn:
		return scenarios.List()
	case err != nil || !info.IsDir():
		return []string{path}, nil // loadScenario reports what is wrong with it
	}
	files, err := ourFiles(path)
	bases := extendedBy(files)
	return slices.DeleteFunc(files, func(file string) bool { return isPage(file) || bases[file] }), err
}

// extendedBy are the files that others of some files extend and that expect nothing themselves: they
// cannot be tested alone.
func extendedBy(files []string) map[string]bool {
	bases := map[string]bool{}
	for _, file := range files {
		extends, says := fieldOf(file, "extends")
		if name, ok := extends.(string); !says || !ok {
			continue
		} else if base := filepath.Join(filepath.Dir(file), name); slices.Contains(files, base) {
			if _, expects := fieldOf(base, "expect"); !expects {
				bases[base] = true
			}
		}
	}
	return bases
}

// fieldOf is the value of a top-level key of a file; false where it has none or cannot be read, which
// loading it reports.
func fieldOf(file, key string) (value any, has bool) {
	document, err := source.Read(os.DirFS(filepath.Dir(file)), filepath.Base(file), file)
	if err != nil || document.Kind != source.Mapping {
		return nil, false
	}
	field, has := document.Field(key)
	if !has {
		return nil, false
	}
	return field.Value.Value, true
}

// yamlFiles are the YAML files of a folder and those below it.
func yamlFiles(folder string) (files []string, err error) {
	err = filepath.WalkDir(folder, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if extension := filepath.Ext(file); !entry.IsDir() && (extension == ".yaml" || extension == ".yml") {
			files = append(files, file)
		}
		return nil
	})
	if err != nil {
		return nil, usage(fmt.Errorf("look for pages and scenarios: %w", err))
	}
	return files, nil
}

// ourFiles are the YAML files of a folder that may be pages and scenarios. Others lie beside them: for
// CI, compose, Kubernetes.
func ourFiles(folder string) ([]string, error) {
	files, err := yamlFiles(folder)
	return slices.DeleteFunc(files, isAnothers), err
}

// isAnothers reports whether a file is for another program: a mapping that names another API, or has
// none of our keys. A file that cannot be read may be ours.
func isAnothers(file string) bool {
	document, err := source.Read(os.DirFS(filepath.Dir(file)), filepath.Base(file), file)
	if errors.Is(err, source.ErrSeveral) && document != nil { // as in manifests: the first document tells whose they are
		err = nil
	}
	if err != nil || document.Kind != source.Mapping {
		return false
	}
	if api, named := document.Field("apiVersion"); named {
		text, ok := api.Value.Value.(string)
		return ok && !strings.HasPrefix(text, "rehearse/")
	}
	return !slices.ContainsFunc([]string{"kind", "runbook", "extends", "scope"}, func(key string) bool {
		_, has := document.Field(key)
		return has
	})
}

// isPage tells a page from a scenario. A file that cannot be read counts as a scenario: loading it
// reports why.
func isPage(file string) bool {
	kind, says := fieldOf(file, "kind")
	return says && kind == runbook.Kind
}
