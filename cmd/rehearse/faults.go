package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/harness/fault"
	"github.com/rehearse-dev/rehearse/harness/source"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// knownFault is a fault as `rehearse faults` tells it.
type knownFault struct {
	Name     string `json:"name"`     // as a scenario says it: kind
	Does     string `json:"does"`     // what it does
	Target   string `json:"target"`   // at what it can be aimed
	Evidence string `json:"evidence"` // what shows that it took effect
	Example  string `json:"example"`  // YAML, of the scenario In
	In       string `json:"in"`
}

// faultsCommand is `rehearse faults [KIND]`.
func faultsCommand() *cobra.Command {
	var format string
	command := &cobra.Command{
		Use:   "faults [KIND]",
		Short: "List the faults that a scenario can ask for",
		Long: "List the faults that a scenario can ask for, or tell of one: what it does, at what it can be\n" +
			"aimed, what shows that it took effect, and how a built-in scenario asks for it.",
		Args:              arguments(cobra.MaximumNArgs(1)),
		ValidArgsFunction: completing(fault.Names),
		RunE: func(command *cobra.Command, args []string) error {
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			known, err := knownFaults()
			if err != nil {
				return err
			}
			if len(args) > 0 {
				if names := fault.Names(); !slices.Contains(names, args[0]) {
					return usage(fmt.Errorf("there is no fault %q: %s", args[0], source.DidYouMean(args[0], names)))
				}
				known = slices.DeleteFunc(known, func(k knownFault) bool { return k.Name != args[0] })
			}
			out := command.OutOrStdout()
			if format == "json" {
				return writeJSON(out, known)
			}
			return writeFaults(out, lookOf(out).Width, known)
		},
	}
	command.Flags().StringVar(&format, "format", "text", "text or json")
	completes(command, "format", "text", "json")
	return command
}

// knownFaults are the faults of package fault, each with an example: the first built-in scenario that
// asks for it.
func knownFaults() ([]knownFault, error) {
	var known []knownFault
	for _, k := range fault.Kinds() {
		known = append(known, knownFault{Name: k.Name, Does: k.Does, Target: k.Where, Evidence: k.Evidence})
	}
	all, err := listScenarios()
	if err != nil {
		return nil, err
	}
	for _, l := range all {
		loaded, err := loadScenario(l.Name)
		if err != nil {
			return nil, err
		}
		for i, f := range loaded.Scenario.Faults {
			k := slices.IndexFunc(known, func(k knownFault) bool { return k.Name == f.Kind && k.Example == "" })
			if k < 0 {
				continue
			}
			at := loaded.Position(fmt.Sprintf("faults[%d]", i))
			text, err := fs.ReadFile(scenarios.FS, at.File)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("read an example: %w", err)
			}
			known[k].Example, known[k].In = itemAt(string(text), at.Line), l.Name
		}
	}
	return known, nil
}

// itemAt is the item of a YAML list that begins at a line, counted from 1, with the
// lines below it that are part of it, indented as if the list stood by itself.
func itemAt(text string, line int) string {
	lines := strings.Split(text, "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	first := lines[line-1]
	indent := len(first) - len(strings.TrimLeft(first, " "))
	item := []string{first[indent:]}
	for _, l := range lines[line:] {
		if len(l)-len(strings.TrimLeft(l, " ")) <= indent || strings.TrimSpace(l) == "" {
			break
		}
		item = append(item, l[indent:])
	}
	return strings.Join(item, "\n")
}

// writeFaults writes each fault with its description below, wrapped at width.
func writeFaults(w io.Writer, width int, known []knownFault) error {
	longest := 0
	for _, k := range known {
		longest = max(longest, len(k.Name))
	}
	columns := longest + 2
	for _, k := range known {
		for _, part := range []struct{ head, label, text string }{
			{k.Name, "", k.Does}, {"", "target: ", k.Target}, {"", "evidence: ", k.Evidence},
		} {
			if err := hanging(w, width, columns, part.head, part.label+part.text); err != nil {
				return err
			}
		}
		if k.Example == "" {
			continue
		}
		if err := hanging(w, 0, columns, "", fmt.Sprintf("example, of %s:", k.In)); err != nil {
			return err
		}
		for line := range strings.SplitSeq(k.Example, "\n") {
			if err := hanging(w, 0, columns+2, "", line); err != nil {
				return err
			}
		}
	}
	return nil
}
