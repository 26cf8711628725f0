package source

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

func TestProblemError(t *testing.T) {
	tests := []struct {
		name    string
		problem Problem
		want    string
	}{
		{"all parts", Problem{Position: Position{"a.yaml", 3, 7}, Path: "load[0].rate", Message: "is wrong", Hint: "write 5/s"}, "a.yaml:3:7: load[0].rate: is wrong (write 5/s)"},
		{"of the document", Problem{Position: Position{"a.yaml", 1, 1}, Message: "is empty"}, "a.yaml:1:1: is empty"},
		{"of the file", Problem{Position: Position{File: "--speed"}, Message: "is too much"}, "--speed: is too much"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.problem.Error(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestProblemsErr(t *testing.T) {
	if err := (Problems{}).Err(); err != nil {
		t.Errorf("no problems: got %v, want nil", err)
	}
	at := func(line int, message string) Problem {
		return Problem{Position: Position{"a.yaml", line, 1}, Message: message}
	}
	missing := at(9, "missing")
	missing.Err = fs.ErrNotExist
	err := Problems{missing, at(10, "c"), at(2, "b"), at(2, "a"), at(2, "b")}.Err()
	want := "a.yaml:2:1: a\na.yaml:2:1: b\na.yaml:9:1: missing\na.yaml:10:1: c"
	if err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("errors.Is(%v, fs.ErrNotExist) is false, want true", err)
	}
}

func TestProblemsErrorIsBounded(t *testing.T) {
	text := make(Problems, 3*shownProblems).Error()
	if got := strings.Count(text, "\n") + 1; got != shownProblems+1 {
		t.Errorf("got %d lines, want %d", got, shownProblems+1)
	}
	if want := "and 100 more"; !strings.HasSuffix(text, want) {
		t.Errorf("ends with %q, want %q", text[len(text)-20:], want)
	}
}

func TestAsProblems(t *testing.T) {
	one := Problem{Position: Position{"a.yaml", 1, 1}, Message: "wrong"}
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"a problem", one, "a.yaml:1:1: wrong"},
		{"problems", Problems{one, one}, "a.yaml:1:1: wrong\na.yaml:1:1: wrong"},
		{"another error", errors.New("disk on fire"), "b.yaml: disk on fire"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := AsProblems("b.yaml", tt.err).Error(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if got := AsProblems("b.yaml", nil); got != nil {
		t.Errorf("of no error: got %v, want none", got)
	}
}
