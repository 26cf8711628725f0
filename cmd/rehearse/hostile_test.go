package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/rehearse-dev/rehearse/harness"
)

// hostile is a name that steers a terminal, has the markup of every format that is
// written here, calls a channel together, and would run in a shell.
const hostile = "x\x1b]0;owned\x07\x1b[2J\u009b31m\u202egnp\u2028|`y`<script>alert(1)</script><img src=x>[click](http://evil.example)" +
	"<!channel> @everyone *b* # h\r\nEND:VEVENT\n| forged | row |\n```\n; touch owned; $(touch owned) ' \" &amp; ]]> {{ .x }}"

// hostileRun is a saved run in whose files the names of parties and places are hostile.
func hostileRun(t *testing.T, scenario string) string {
	t.Helper()
	dir, _ := savedRun(t, scenario)
	word, err := json.Marshal(hostile)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{harness.EventsFile, "result.json"} {
		path := filepath.Join(dir, file)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"web", "search", "k1", "process", "embedded", scenario, "session-signing-key"} {
			data = bytes.ReplaceAll(data, []byte(`"`+name+`"`), word)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// hostilePages is a folder with a page and a scenario whose own words are hostile,
// where these may be anything, and whose figures are such that lint finds much.
func hostilePages(t *testing.T) (dir, scenario string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "-x'; touch owned; \x1b[31m\u202e`id`|&")
	word, err := json.Marshal(hostile) // is YAML too
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join("../../scenarios/api-key", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	page := read("runbook.yaml")
	for _, old := range []string{"charges cards at the payments provider", "payments on-call", "payments-team"} {
		page = strings.ReplaceAll(page, old, string(word))
	}
	page = strings.ReplaceAll(page, "window: 4m", "window: 1m")
	page = strings.ReplaceAll(page, "2027-02-01", "2020-02-01")
	run := regexp.MustCompile(`(?m)^description: .*$`).ReplaceAllLiteralString(read("healthy.yaml"), "description: "+string(word))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	scenario = filepath.Join(dir, "healthy.yaml")
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "runbook.yaml"), []byte(page), 0o600), os.WriteFile(scenario, []byte(run), 0o600)); err != nil {
		t.Fatal(err)
	}
	return dir, scenario
}

// harmless wants text that steers nothing, whatever it is shown on.
func harmless(t *testing.T, what, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%s is no UTF-8", what)
	}
	for i, r := range text {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)) {
			t.Errorf("%s has %U: …%q", what, r, text[max(0, i-60):min(len(text), i+60)])
			return
		}
	}
}

// lacks wants a text without some others.
func lacks(t *testing.T, what, text string, others ...string) {
	t.Helper()
	for _, other := range others {
		if at := strings.Index(text, other); at >= 0 {
			t.Errorf("%s has %q: …%q", what, other, text[max(0, at-60):min(len(text), at+60)])
		}
	}
}

// markdownIsPlain wants Markdown with no markup but its own. Of tables, every row
// must have as many cells as the head.
func markdownIsPlain(t *testing.T, what, text string) {
	t.Helper()
	outside := regexp.MustCompile("(?s)```sh\n.*?\n```\n").ReplaceAllString(text, "")
	lacks(t, what, outside, "```", "<script", "<img", "<!channel", "@everyone", "http://evil")
	if at := regexp.MustCompile(`[^\\]\]\(`).FindStringIndex(outside); at != nil {
		t.Errorf("%s has a link: …%q", what, outside[max(0, at[0]-60):at[1]])
	}
	cells := 0
	for line := range strings.Lines(outside) {
		if !strings.HasPrefix(line, "|") {
			cells = 0
			continue
		}
		n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
		if cells == 0 {
			cells = n
		}
		if n != cells {
			t.Errorf("%s: a row has %d borders, and its head %d: %s", what, n, cells, line)
		}
	}
}

func isJSON(t *testing.T, what, text string) {
	t.Helper()
	if !json.Valid([]byte(text)) {
		t.Errorf("%s is no JSON: %.300s", what, text)
	}
}

// TestNothingHostileComesOutOfARun renders a run folder full of hostile text in
// every format there is.
func TestNothingHostileComesOutOfARun(t *testing.T) {
	before, _ := savedRun(t, "jwt-signing-key/stale-cache")
	dir := hostileRun(t, "jwt-signing-key/stale-cache")
	for _, args := range [][]string{{"judge", dir}, {"report", dir, "--png"}, {"compare", dir, dir}} {
		code, out := command(t, args...)
		if code != 0 && code != exitFail && code != exitInconclusive {
			t.Errorf("rehearse %s: got exit code %d and %q", args[0], code, out)
		}
		harmless(t, "rehearse "+args[0], out)
	}
	_, out := command(t, "compare", dir, dir, "--format", "md")
	harmless(t, "compare --format md", out)
	markdownIsPlain(t, "compare --format md", out)
	_, out = command(t, "compare", dir, dir, "--format", "json")
	harmless(t, "compare --format json", out)
	isJSON(t, "compare --format json", out)
	_, refusal := failing(t, "compare", before, dir)
	harmless(t, "a refusal", refusal)

	file := func(name string) string {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		harmless(t, name, string(data))
		if !strings.Contains(string(data), "gnp") {
			t.Errorf("%s has nothing hostile in it, also not made harmless: nothing was tried", name)
		}
		return string(data)
	}
	isJSON(t, "result.json", file("result.json"))
	lacks(t, "report.html", file("report.html"), "<script", "<img", "http-equiv=\"refresh")
	markdownIsPlain(t, "report.md", file("report.md"))
	for d := xml.NewDecoder(strings.NewReader(file("junit.xml"))); ; {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("junit.xml: %v", err)
		}
	}
}

// TestNothingHostileComesOutOfAPage does the same with a page and its scenario.
func TestNothingHostileComesOutOfAPage(t *testing.T) {
	dir, scenario := hostilePages(t)
	for _, args := range [][]string{
		{"lint", dir}, {"lint", scenario}, {"plan", scenario}, {"run", "--dry-run", "--runtime", "process", scenario},
		{"inventory", dir}, {"faults"}, {"scenarios"},
	} {
		code, out := command(t, args...)
		if code != 0 && code != exitFail {
			_, said := failing(t, args...)
			t.Errorf("rehearse %s: got exit code %d, %q and %q", args[0], code, out, said)
		}
		harmless(t, "rehearse "+args[0], out)
	}
	for _, args := range [][]string{{"lint", "--format", "json", dir}, {"lint", "--format", "sarif", dir}, {"inventory", "--format", "json", dir}} {
		_, out := command(t, args...)
		what := strings.Join(args[:3], " ")
		harmless(t, what, out)
		isJSON(t, what, out)
		if args[2] == "sarif" {
			lacks(t, what, out, "](http")
		}
	}

	_, out := command(t, "inventory", "--format", "message", dir)
	harmless(t, "a message", out)
	lacks(t, "a message", out, "<", ">", "@", "](http")
	for line := range strings.Lines(out) {
		if n := strings.Count(line, "`"); n != 0 && n != 2 || strings.HasPrefix(line, "|") || strings.HasPrefix(line, "```") {
			t.Errorf("a line of the message has a form of its own: %q", line)
		}
	}

	_, out = command(t, "inventory", "--format", "ics", dir)
	harmless(t, "a calendar", strings.ReplaceAll(out, "\r\n", "\n"))
	if begun, ended := strings.Count(out, "BEGIN:VEVENT"), strings.Count(out, "\nEND:VEVENT"); begun == 0 || begun != ended {
		t.Errorf("the calendar begins %d events and ends %d:\n%s", begun, ended, out)
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(out, "\r\n"), "\r\n") {
		if len(line) > 75 || !regexp.MustCompile(`^( |[A-Z-]+[:;])`).MatchString(line) {
			t.Errorf("no line of a calendar (RFC 5545, section 3.1): %q", line)
		}
	}

	_, wrong := failing(t, "lint", filepath.Join(dir, "missing\x1b[31m.yaml"))
	harmless(t, "an error", wrong)
}
