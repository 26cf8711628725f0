package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// guides are the documents for users, each beside what it is about; the first
// is the README of the project.
var guides = []string{
	"README.md", "harness/README.md", "scenarios/README.md", "scenarios/attached/README.md", "scenarios/bring-your-own/README.md",
	"reports/README.md", "cmd/rehearse/README.md", "cmd/rehearse/CI.md",
}

// guide is the text of one of the guides.
func guide(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// allGuides is the text of all of them.
func allGuides(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, name := range guides {
		all.WriteString(guide(t, name) + "\n")
	}
	return all.String()
}

// TestReadmeIsShort keeps the README at what is read before a first run.
func TestReadmeIsShort(t *testing.T) {
	if got, most := len(guide(t, guides[0])), 9<<10; got > most {
		t.Errorf("README.md has %d bytes, want at most %d: move what is about one room into that room", got, most)
	}
}

// TestGuidesLinkToWhatIsThere follows the links of every guide to files.
func TestGuidesLinkToWhatIsThere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#]+)(?:#[^)]*)?\)`)
	for _, name := range guides {
		for _, found := range link.FindAllStringSubmatch(guide(t, name), -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			target := filepath.Join("..", "..", filepath.Dir(filepath.FromSlash(name)), filepath.FromSlash(found[1]))
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", name, found[1], err)
			}
		}
	}
}

// examples are the blocks of YAML in the guides that have a line that begins so.
func examples(t *testing.T, marker string) []string {
	t.Helper()
	var found []string
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(allGuides(t), -1) {
		if slices.ContainsFunc(strings.Split(block[1], "\n"), func(line string) bool { return strings.HasPrefix(line, marker) }) {
			found = append(found, block[1])
		}
	}
	return found
}

// example is the only one of them.
func example(t *testing.T, marker string) string {
	t.Helper()
	found := examples(t, marker)
	if len(found) != 1 {
		t.Fatalf("yaml examples with %q in the guides: got %d, want 1", marker, len(found))
	}
	return found[0]
}

// TestReadmeAttach plans scenarios that are attached as the guides show it: one of
// a secret that signs tokens, one in a cluster, one with a rotator, and one of a secret
// that is presented itself.
func TestReadmeAttach(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "scenarios", "attached", "testdata", "database", "runbook.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	shown := examples(t, "attach:")
	has := []string{"tokens:", "kubernetes:", "rotator:", "current:"}
	if !slices.EqualFunc(shown, has, strings.Contains) {
		t.Fatalf("yaml examples with attach: in the guides: got %d, want one with each of %s", len(shown), has)
	}
	const step = "{command: [./rotate.sh]}"
	for name, files := range map[string]map[string]string{
		"tokens":  {"runbook.yaml": example(t, "kind: Runbook"), "scenario.yaml": "load: [{client: web, to: search, rate: 10/s, token: {}}]\n" + shown[0]},
		"cluster": {"runbook.yaml": example(t, "kind: Runbook"), "scenario.yaml": "load: [{client: web, to: search, rate: 10/s, token: {}}]\n" + shown[1]},
		"rotator": {"runbook.yaml": example(t, "kind: Runbook"), "scenario.yaml": "load: [{client: web, to: search, rate: 10/s, token: {}}]\n" + shown[2]},
		"values": {"runbook.yaml": string(page), "scenario.yaml": "load: [{client: web, to: shop, rate: 10/s}]\n" + shown[3] +
			"  steps: {make: " + step + ", accept: " + step + ", emit: " + step + ", revoke: " + step + ", restore: " + step + ", withdraw: " + step + "}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			files["scenario.yaml"] = "apiVersion: rehearse/v1\nkind: Scenario\nrunbook: runbook.yaml\n" + files["scenario.yaml"]
			for name, text := range files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			loaded, err := scenario.LoadFile(filepath.Join(dir, "scenario.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := plan.Build(loaded, plan.Options{}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestReadmeExamples plans the page and the scenario that the README shows.
func TestReadmeExamples(t *testing.T) {
	dir := t.TempDir()
	for name, marker := range map[string]string{"runbook.yaml": "kind: Runbook", "scenario.yaml": "kind: Scenario"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(example(t, marker)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	loaded, err := scenario.LoadFile(filepath.Join(dir, "scenario.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Build(loaded, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	// The README says that this lead is too short; nothing else on the page is.
	for _, v := range p.Limits.Validators {
		if got, bound := p.Limits.Lead, p.Limits.G1(v); got >= bound {
			t.Errorf("%s: got lead %s, want less than %s", v.Name, got, bound)
		}
		if got, bound := p.Limits.Watch, p.Limits.G3(v); got < bound {
			t.Errorf("%s: got watch %s, want at least %s", v.Name, got, bound)
		}
	}
	if got, bound := p.Limits.Window, p.Limits.G2(); got < bound {
		t.Errorf("got window %s, want at least %s", got, bound)
	}
}

// commandLines are the lines of shell in a text that call the program: its
// arguments, without what the shell itself takes.
func commandLines(text string) [][]string {
	call := regexp.MustCompile(`(?m)^\s*(?:- |\$ )?(?:run: )?(?:bin/rehearse|rehearse|go run \./cmd/rehearse)((?: [^\n]*)?)$`)
	shell := regexp.MustCompile(`\s(#|>|\||&&).*$`)
	var lines [][]string
	for _, found := range call.FindAllStringSubmatch(text, -1) {
		lines = append(lines, strings.Fields(shell.ReplaceAllString(found[1], "")))
	}
	return lines
}

// callable says what is wrong with a command line: a command or a flag that
// there is not, or too many arguments.
func callable(args []string) error {
	root := rootCommand()
	root.SetOut(io.Discard)
	root.SetErr(io.Discard)
	command, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if command == root {
		return cobra.NoArgs(root, args)
	}
	if err := command.ParseFlags(rest); err != nil {
		return err
	}
	return command.ValidateArgs(command.Flags().Args())
}

// TestReadmeCommands holds every command line of the guides, those of the CI
// jobs too, against the commands and flags that there are.
func TestReadmeCommands(t *testing.T) {
	lines := commandLines(allGuides(t))
	if len(lines) < 8 {
		t.Errorf("got %d command lines, want all of them: %q", len(lines), lines)
	}
	var names []string
	for _, line := range lines {
		if err := callable(line); err != nil {
			t.Errorf("rehearse %s: %v", strings.Join(line, " "), err)
		}
		names = append(names, line[0])
	}
	for _, name := range []string{"run", "test", "compare", "lint"} {
		if !slices.Contains(names, name) {
			t.Errorf("got command lines of %q, want one of %s among them", names, name)
		}
	}
}

func TestCallable(t *testing.T) {
	tests := []struct{ text, want string }{
		{"    rehearse run --ui plain --yes page.yaml   # comment", ""},
		{"      - run: rehearse test -j 2 --out out rehearsals > log", ""},
		{"    - bin/rehearse tset rehearsals", "unknown command"},
		{"    rehearse run --frobnicate", "unknown flag: --frobnicate"},
		{"    rehearse compare one", "accepts 2 arg(s)"},
		{"    rehearse test -j many", "invalid argument"},
	}
	for _, test := range tests {
		lines := commandLines(test.text)
		if len(lines) != 1 {
			t.Errorf("%q: got %d command lines, want 1", test.text, len(lines))
			continue
		}
		err := callable(lines[0])
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%q: got %v, want %q", test.text, err, test.want)
		}
	}
}

// page is the folder of the scenario rehearsals/page.yaml below that of a test.
var page = folderOf("rehearsals/page")

// TestReadmeGitHub holds the workflow against what makes it a gate.
func TestReadmeGitHub(t *testing.T) {
	type step struct {
		Uses, Run, If   string
		With            map[string]string
		ContinueOnError bool `yaml:"continue-on-error"`
	}
	var workflow struct {
		On          string
		Permissions map[string]string
		Jobs        map[string]struct {
			Permissions map[string]string
			Needs, If   string
			Steps       []step
		}
	}
	if err := yaml.Unmarshal([]byte(example(t, "jobs:")), &workflow); err != nil {
		t.Fatal(err)
	}
	gate, comment := workflow.Jobs["rehearse"], workflow.Jobs["comment"]
	if len(workflow.Permissions) > 0 || len(gate.Permissions) != 1 || gate.Permissions["contents"] != "read" ||
		len(comment.Permissions) != 1 || comment.Permissions["pull-requests"] != "write" {
		t.Errorf("got permissions %v, %v and %v; want none, to read the contents, and to write to the pull request",
			workflow.Permissions, gate.Permissions, comment.Permissions)
	}
	var uploaded string
	for _, s := range gate.Steps {
		if s.ContinueOnError || strings.Contains(s.Run, "||") {
			t.Errorf("step %q goes on after a failure: it is no gate", s.Run)
		}
		if strings.HasPrefix(s.Uses, "actions/upload-artifact@") && s.If == "always()" {
			uploaded = s.With["path"]
		}
	}
	if uploaded != "out" || comment.Needs != "rehearse" || !strings.HasPrefix(comment.If, "always()") {
		t.Errorf("got %q uploaded, and a comment that needs %q if %q; want the folder uploaded and told of, also of a failed test",
			uploaded, comment.Needs, comment.If)
	}
	for _, s := range comment.Steps {
		if strings.Contains(s.Uses, "checkout") {
			t.Error("the job that may write checks out the pull request, want it to run nothing of it")
		}
	}
	if last := comment.Steps[len(comment.Steps)-1].Run; !strings.Contains(last, " out/"+page+"/report.md ") {
		t.Errorf("the comment is %q, want the report in the folder of the scenario, %s", last, page)
	}
}

// TestReadmeGitLab does so with the jobs of GitLab.
func TestReadmeGitLab(t *testing.T) {
	var jobs map[string]struct {
		Script       []string
		AllowFailure any `yaml:"allow_failure"`
		Dependencies []string
		Artifacts    struct {
			When    string
			Paths   []string
			Reports struct{ JUnit string }
		}
	}
	if err := yaml.Unmarshal([]byte(example(t, "rehearse:")), &jobs); err != nil {
		t.Fatal(err)
	}
	gate, comment := jobs["rehearse"], jobs["comment"]
	if gate.AllowFailure != nil || len(gate.Script) == 0 || !strings.HasPrefix(gate.Script[len(gate.Script)-1], "rehearse test ") {
		t.Errorf("got %+v, want a job that fails with its last command, rehearse test", gate)
	}
	if a := gate.Artifacts; a.When != "always" || !slices.Equal(a.Paths, []string{"out"}) || a.Reports.JUnit != "out/"+junitFile {
		t.Errorf("got artifacts %+v, want the folder and its %s, always", a, junitFile)
	}
	if len(comment.Script) != 1 || !strings.Contains(comment.Script[0], "body=<out/"+page+"/report.md") || !slices.Contains(comment.Dependencies, "rehearse") {
		t.Errorf("got %+v, want the report in the folder of the scenario, %s", comment, page)
	}
}

// TestReadmeHasEveryFlagOfRun holds the table of flags against those that there are.
func TestReadmeHasEveryFlagOfRun(t *testing.T) {
	text := guide(t, "cmd/rehearse/README.md")
	flags := 0
	runCommand().Flags().VisitAll(func(f *pflag.Flag) {
		flags++
		if !strings.Contains(text, "`--"+f.Name+"`") {
			t.Errorf("--%s is not in cmd/rehearse/README.md", f.Name)
		}
	})
	if flags == 0 {
		t.Error("run has no flags")
	}
}
