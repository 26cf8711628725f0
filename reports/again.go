package reports

import (
	"cmp"
	"strconv"
	"strings"
)

// Command is a line for a shell, and what it does.
type Command struct{ Line, Does string }

// again is how to run a rehearsal once more, and to ask its folder again.
func again(m *Model) []Command {
	args := []string{"rehearse", "run"}
	add := func(flag, value string) {
		if value != "" {
			args = append(args, flag, value)
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
	args = append(args, quoted(cmp.Or(m.ScenarioFile, m.Scenario)))
	return []Command{
		{strings.Join(args, " "), "rehearse the same once more"},
		{"rehearse judge .", "in this folder: judge what was recorded again, and write the reports anew"},
		{"rehearse report . --png", "in this folder: the charts as pictures too"},
	}
}

// quoted is an argument as a POSIX shell takes it.
func quoted(s string) string {
	if s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@%", r)
	}) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
