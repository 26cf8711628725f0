package reports

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/judge"
)

func TestSummary(t *testing.T) {
	got := summary(failModel())
	want := []Fact{
		{"first attempts judged", "21,100"}, {"auth failures", "1,204 (5.7 %)"}, {"of all clients' error budget spent", "57.1 times"},
		{"gates held", "0 of 1"}, {"of page time, in 1m27s", "1h26m32s"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRemedies(t *testing.T) {
	fix := func(level judge.Level, who, what string) judge.Finding {
		return judge.Finding{Level: level, Consumer: who, Fix: what}
	}
	tests := []struct {
		name     string
		findings []judge.Finding
		want     []string
	}{
		{"errors before warnings, once each", []judge.Finding{
			fix(judge.Warning, "a", "look"), fix(judge.Error, "b", "lead 16m"), fix(judge.Error, "b", "lead 16m"), fix(judge.Error, "c", ""),
		}, []string{"b lead 16m"}},
		{"warnings where there is no error", []judge.Finding{fix(judge.Warning, "a", "look"), fix(judge.Note, "b", "read")}, []string{"a look"}},
		{"nothing", nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := baseModel()
			m.Findings = tt.findings
			var got []string
			all, _ := remedies(m)
			for _, c := range all {
				got = append(got, c.Who+" "+c.What)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRemediesAreAnAnswer(t *testing.T) {
	m := baseModel()
	for i := range 20 {
		m.Findings = append(m.Findings, judge.Finding{Level: judge.Error, Consumer: fmt.Sprint("service-", i), Fix: "publish earlier"})
	}
	if all, more := remedies(m); len(all) != maxRemedies || more != 20-maxRemedies {
		t.Errorf("of 20: got %d and %d more, want %d and %d", len(all), more, maxRemedies, 20-maxRemedies)
	}
}

func TestUntold(t *testing.T) {
	want := []Fact{{"auth-failures-flat", "0 attempts in web → search"}}
	if got := untold(inconclusiveModel()); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
