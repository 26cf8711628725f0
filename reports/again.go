package reports

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/plaintext"
)

// Command is a line for a shell, and what it does.
type Command struct{ Line, Does string }

// again lists how to repeat a rehearsal, and how to ask its folder again.
func again(m *Model) []Command {
	args := []string{"rehearse", "run"}
	if m.Totals.Simulated {
		args[1], m = "simulate", &Model{Scenario: m.Scenario, ScenarioFile: m.ScenarioFile, Speed: m.Speed, Seed: m.Seed, Limits: m.Limits}
	}
	add := func(flag, value string) {
		if value != "" {
			args = append(args, flag, plaintext.Shell(value))
		}
	}
	add("--runtime", m.Runtime)
	store, _, _ := strings.Cut(m.Store, " ")
	add("--store", store)
	add("--gates", m.Limits.Gates)
	if m.Speed > 0 {
		add("--speed", strconv.FormatFloat(m.Speed, 'g', -1, 64))
	}
	if m.Seed != 0 {
		add("--seed", strconv.FormatInt(m.Seed, 10))
	}
	scenario := plaintext.Shell(cmp.Or(m.ScenarioFile, m.Scenario))
	if strings.HasPrefix(strings.Trim(scenario, "'"), "-") {
		args = append(args, "--") // it is no flag
	}
	args = append(args, scenario)
	return []Command{
		{strings.Join(args, " "), "rehearse the same once more"},
		{"rehearse judge .", "in this folder: judge what was recorded again, and write the reports anew"},
		{"rehearse report . --png", "in this folder: the charts as pictures too"},
	}
}
