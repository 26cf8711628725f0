package logs

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan/plantest"
)

func TestHygiene(t *testing.T) {
	const kid = "pQ3xv8kV0Yb1"
	for _, tt := range []struct {
		name  string
		lines []string
		want  history.Logged
	}{
		{"ours, with identifiers", []string{
			string(line("accepted", `,"identifier":"k1"`)), string(line("refused", `,"identifier":"k1"`)),
		}, history.Logged{Success: true, Failure: true}},
		{"ours, without", []string{string(line("accepted", "")), string(line("refused", ""))}, history.Logged{}},
		{"ours, about something else", []string{string(line("emitting", `,"identifier":"k1"`))}, history.Logged{}},
		{"one that presents", []string{
			string(line("presented", `,"identifier":"k1","status":"201"`)), string(line("presented", `,"identifier":"k1","status":"unavailable"`)),
		}, history.Logged{Success: true}},
		{"one that is refused", []string{string(line("presented", `,"identifier":"k1","status":"401"`))}, history.Logged{Failure: true}},
		{"another's, with the kid", []string{"GET /orders 200 kid=" + kid}, history.Logged{Success: true}},
		{"another's, refusing", []string{"token Rejected (kid " + kid + ")"}, history.Logged{Failure: true}},
		{"another's, without", []string{"GET /orders 200", "GET /orders 401"}, history.Logged{}},
		{"another's, with too short an identifier", []string{"key k1 taken"}, history.Logged{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, _ := loggedBy(t, plantest.JWTPage, plantest.JWTScenario)
			l.names.AddCredential("k1", "k1")
			l.names.AddCredential(kid, "k2")
			for _, text := range tt.lines {
				l.Line("search", []byte(text))
			}
			if got := l.Hygiene("search"); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestMeaningOfAStatus(t *testing.T) {
	success, failure := history.Logged{Success: true}, history.Logged{Failure: true}
	for status, want := range map[string]history.Logged{
		"200": success, "204": success, "302": success, "401": failure, "403": failure, "404": {}, "503": {},
		history.StatusUnavailable: {}, "": {},
	} {
		if got := meaning(status); got != want {
			t.Errorf("%q: got %+v, want %+v", status, got, want)
		}
	}
}
