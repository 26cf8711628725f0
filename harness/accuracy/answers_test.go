package accuracy

import (
	"strings"
	"testing"
)

// TestAnswersAreOfCases holds the table against the folder: each case has one
// answer, and each answer its case.
func TestAnswersAreOfCases(t *testing.T) {
	answers := answersOf(t)
	there := map[string]bool{}
	for _, name := range caseNames(t) {
		there[name] = true
	}
	for _, a := range answers {
		if !there[a.Case] {
			t.Errorf("%s has an answer, and is no case or has another answer before", a.Case)
		}
		delete(there, a.Case)
	}
	for name := range there {
		t.Errorf("%s has no answer", name)
	}
}

func TestParseAnswersRefuses(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"a/scenario | pass | - | -", "line 2: got 4 cells"},
		{"a/scenario | maybe | - | - | - | -", `no verdict "maybe"`},
		{"a/scenario | pass | - | - | - | soon", "line 2"},
	} {
		if _, err := ParseAnswers("# head\n" + tt.line); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got %v, want %q", tt.line, err, tt.want)
		}
	}
}

// TestGrade has for each way of being wrong a twin that is right.
func TestGrade(t *testing.T) {
	parse := func(line string) Answer {
		all, err := ParseAnswers(line)
		if err != nil {
			t.Fatal(err)
		}
		return all[0]
	}
	for _, tt := range []struct {
		name, answer string
		said         Reading
		want         string
	}{
		{"right", "a | fail | edge/search | auth | alg/type | 11m", Reading{Fail, []string{"search", "auth"}, "the ALG is missing: publish 11m30s before"}, Right},
		{"another is named", "a | fail | edge | - | - | -", Reading{Fail, []string{"edge", "search"}, ""}, Wrong},
		{"nobody is named", "a | fail | edge | - | - | -", Reading{Fail, nil, ""}, Wrong},
		{"the wrong cause", "a | fail | edge | - | alg | -", Reading{Fail, []string{"edge"}, "a stale cache"}, CannotTell},
		{"too short a figure", "a | fail | edge | - | - | 11m", Reading{Fail, []string{"edge"}, "publish 10m29s before, 3m is too short"}, Wrong},
		{"no figure", "a | fail | edge | - | - | 11m", Reading{Fail, []string{"edge"}, "publish before"}, Wrong},
		{"an hour", "a | fail | edge | - | - | 56m15s", Reading{Fail, []string{"edge"}, "publish 1h before"}, Right},
		{"a false pass", "a | fail | edge | - | - | -", Reading{Pass, nil, ""}, Wrong},
		{"cannot tell", "a | fail | edge | - | - | -", Reading{Inconclusive, nil, ""}, CannotTell},
		{"cannot tell, and names somebody", "a | fail | edge | - | - | -", Reading{Inconclusive, []string{"search"}, ""}, Wrong},
		{"a false alarm", "a | pass | - | - | - | -", Reading{Fail, []string{"search"}, ""}, Wrong},
		{"a false alarm without a name", "a | pass | - | - | - | -", Reading{Fail, nil, ""}, Wrong},
		{"passes", "a | pass | - | - | - | -", Reading{Pass, nil, ""}, Right},
		{"held by luck", "a | held | - | search | - | 16m15s", Reading{Inconclusive, nil, "needs 16m15s"}, Right},
		{"held by luck, and a bare pass", "a | held | - | search | - | 16m15s", Reading{Pass, nil, "needs 16m15s"}, Wrong},
		{"noise passes", "a | noise | - | - | - | -", Reading{Pass, nil, ""}, Right},
		{"noise that cannot be told", "a | noise | - | - | - | -", Reading{Inconclusive, nil, ""}, Right},
		{"noise that is blamed", "a | noise | - | - | - | -", Reading{Fail, nil, ""}, Wrong},
		{"refused", "a | error | - | - | - | -", Reading{Refused, nil, ""}, Right},
		{"rehearsed, and to be refused", "a | error | - | - | - | -", Reading{Fail, nil, ""}, Wrong},
	} {
		if got, why := parse(tt.answer).Grade(tt.said); got != tt.want || (got == Right) != (why == "") {
			t.Errorf("%s: got %s (%s), want %s", tt.name, got, why, tt.want)
		}
	}
}
