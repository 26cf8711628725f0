package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/harness/source"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// listed is a built-in scenario as `rehearse scenarios` tells it.
type listed struct {
	Name        string `json:"name"`    // as `rehearse run` takes it: FAMILY/NAME
	Family      string `json:"family"`  // the folder that it is in
	Expects     string `json:"expects"` // the verdict; empty where it says none
	Description string `json:"description"`
}

// rank orders the scenarios of a family: the healthy one first.
func (l listed) rank() int {
	if path.Base(l.Name) == "healthy" {
		return 0
	}
	return 1
}

// scenariosCommand is `rehearse scenarios [FAMILY]`.
func scenariosCommand() *cobra.Command {
	var format string
	command := &cobra.Command{
		Use:   "scenarios [FAMILY]",
		Short: "List the scenarios that are built in",
		Long: "List the scenarios that are built in, or those of one family: what each is called, the verdict\n" +
			"that it expects, and what happens in it. What goes wrong stands before what keeps it from that.",
		Example:           "  rehearse scenarios api-key\n  rehearse scenarios --format json",
		Args:              arguments(cobra.MaximumNArgs(1)),
		ValidArgsFunction: completing(families),
		RunE: func(command *cobra.Command, args []string) error {
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			all, err := listScenarios()
			if err != nil {
				return err
			}
			if len(args) > 0 {
				known := families()
				if !slices.Contains(known, args[0]) {
					return usage(fmt.Errorf("there is no family %q: %s", args[0], source.DidYouMean(args[0], known)))
				}
				all = slices.DeleteFunc(all, func(l listed) bool { return l.Family != args[0] })
			}
			out := command.OutOrStdout()
			if format == "json" {
				return writeJSON(out, all)
			}
			return writeScenarios(out, lookOf(out).Width, all)
		},
	}
	command.Flags().StringVar(&format, "format", "text", "text or json")
	completes(command, "format", "text", "json")
	return command
}

// families are the folders of the built-in scenarios, sorted.
func families() []string {
	names, err := scenarios.List()
	if err != nil {
		return nil // cannot fail for embedded files; listing them would say so
	}
	var found []string
	for _, name := range names {
		found = append(found, path.Dir(name))
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// listScenarios are the built-in scenarios by family: the healthy one first, and each that fails before
// those with a longer name that do not.
func listScenarios() ([]listed, error) {
	names, err := scenarios.List()
	if err != nil {
		return nil, err
	}
	all := make([]listed, 0, len(names))
	for _, name := range names {
		loaded, err := loadScenario(name)
		if err != nil {
			return nil, err
		}
		l := listed{Name: name, Family: path.Dir(name), Description: loaded.Scenario.Description}
		if e := loaded.Scenario.Expect; e != nil {
			l.Expects = e.Verdict
		}
		all = append(all, l)
	}
	slices.SortStableFunc(all, func(a, b listed) int {
		return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.Name, b.Name))
	})
	return all, nil
}

// writeScenarios writes a line for each, broken between words at width, with an empty
// line between families.
func writeScenarios(w io.Writer, width int, all []listed) error {
	longest := 0
	for _, l := range all {
		longest = max(longest, len(l.Name))
	}
	family := ""
	for _, l := range all {
		if family != "" && l.Family != family {
			if _, err := fmt.Fprintln(w); err != nil {
				return fmt.Errorf("write a list: %w", err)
			}
		}
		family = l.Family
		head := fmt.Sprintf("%-*s  %-12s  ", longest, l.Name, l.Expects)
		if err := hanging(w, width, len(head), head, l.Description); err != nil {
			return err
		}
	}
	return nil
}

// writeJSON writes a list for programs.
func writeJSON(w io.Writer, list any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(list); err != nil {
		return fmt.Errorf("write a list: %w", err)
	}
	return nil
}

// scenariosNamed are the built-in scenarios, of every family, whose name ends in name or nearly does.
func scenariosNamed(name string, builtIn []string) []string {
	bases := make([]string, len(builtIn))
	for i, full := range builtIn {
		bases[i] = path.Base(full)
	}
	if !slices.Contains(bases, name) {
		if near, ok := source.Nearest(name, bases); ok && !strings.Contains(name, "/") {
			name = near
		}
	}
	var found []string
	for i, full := range builtIn {
		if bases[i] == name {
			found = append(found, full)
		}
	}
	return found
}
