package console

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// tested is a table of four scenarios, of which one is as expected and one was skipped.
func tested(t *testing.T, o Options) string {
	t.Helper()
	var out, other bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		table := NewTable(&out, o, []string{"a/good", "a/bad", "a/broken", "a/skipped"}, 2)
		table.Begin("a/good")
		table.Begin("a/bad")
		time.Sleep(3*time.Second + time.Millisecond)
		rows := []Row{
			{Name: "a/good", Came: "pass", Expected: true, Took: 61 * time.Second, Report: "runs/a-good/report.html"},
			{Name: "a/bad", Came: "fail", Took: 61 * time.Second, Report: "runs/a-bad/report.html", Reasons: []string{
				"verdict is fail, want pass: app was refused 1,204 times by search with k2\nfrom the 10th minute on", "no finding is {ruleId: gates}",
			}},
			{Name: "a/broken", Came: "could not run", Took: 2 * time.Second, Reasons: []string{"no \x1b[2Jengine"}},
			{Name: "a/skipped", Came: "skipped", Skipped: true, Reasons: []string{"it is an image, and no engine answers"}},
		}
		for i, r := range rows {
			if i == 2 {
				table.Begin(r.Name)
				table.Say(&other, "making\x1b[2J an image")
				time.Sleep(2 * time.Second)
			}
			if err := table.Add(r); err != nil {
				t.Error(err)
			}
		}
		if err := table.Close("folders and junit.xml are in runs"); err != nil {
			t.Error(err)
		}
	})
	if got, want := other.String(), "making [2J an image\n"; got != want {
		t.Errorf("said %q elsewhere, want %q", got, want)
	}
	return out.String()
}

func TestTable(t *testing.T) {
	tests := []struct {
		file    string
		options Options
	}{
		{"table.txt", Options{}},
		{"table-terminal.txt", Options{Terminal: true, Color: true, Width: 80}},
		{"table-narrow.txt", Options{Terminal: true, Width: 40}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) { golden(t, tt.file, tested(t, tt.options)) })
	}
}

func TestTableIsPlainWithoutATerminal(t *testing.T) {
	for _, r := range tested(t, Options{}) {
		if r != '\n' && (r < ' ' || r == 0x7f) {
			t.Errorf("output has the control character %U, want none", r)
		}
	}
}

func TestTableFitsTheTerminal(t *testing.T) {
	for _, width := range []int{0, 20, 80} {
		most := width - 1
		if width == 0 {
			most = 79
		}
		got := tested(t, Options{Terminal: true, Width: width})
		for _, part := range strings.Split(got, eraseLine) {
			status, _, isLine := strings.Cut(part, "\n")
			if n := len([]rune(status)); !isLine && n > most {
				t.Errorf("width %d: the status line has %d columns, want at most %d: %q", width, n, most, status)
			}
		}
		if !strings.HasSuffix(got, "\n") {
			t.Errorf("width %d: a status line is left behind: %q", width, got[max(0, len(got)-80):])
		}
	}
}

func TestTableOfAnInterruptedTest(t *testing.T) {
	var out bytes.Buffer
	table := NewTable(&out, Options{}, []string{"a", "b", "c"}, 1)
	table.Begin("a")
	if err := errors.Join(table.Add(Row{Name: "a", Came: "interrupted"}), table.Close("more")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"0 of 3 as expected", "not as expected: a\n", "2 did not end\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got %q, want %q in it", out.String(), want)
		}
	}
}

func TestTableKeepsTheWriteError(t *testing.T) {
	w := &goneWriter{}
	table := NewTable(w, Options{}, []string{"a"}, 1)
	if err := table.Add(Row{Name: "a"}); !errors.Is(err, errGone) {
		t.Errorf("got %v, want the writer's own", err)
	}
	if err := table.Close(""); !errors.Is(err, errGone) || w.calls != 1 {
		t.Errorf("got %v after %d writes, want the writer's own after 1", err, w.calls)
	}
}

func TestWrap(t *testing.T) {
	tests := []struct {
		text  string
		width int
		want  string
	}{
		{"one two three", 7, "one two|three"},
		{"one two three", 80, "one two three"},
		{"a longer-than-allowed word", 6, "a|longer-than-allowed|word"},
		{"größe läßt", 5, "größe|läßt"},
		{"", 10, ""},
		{"narrow terminal", -3, "narrow|terminal"},
	}
	for _, tt := range tests {
		if got := strings.Join(wrap(tt.text, tt.width), "|"); got != tt.want {
			t.Errorf("wrap(%q, %d) = %q, want %q", tt.text, tt.width, got, tt.want)
		}
	}
}
