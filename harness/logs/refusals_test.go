package logs

import (
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan/plantest"
)

// TestRefusals: what a log in a form of its own tells of refusals is counted, and
// no line of it is taken for one of a stand-in.
func TestRefusals(t *testing.T) {
	l, r := loggedBy(t, plantest.JWTPage, strings.Replace(plantest.JWTScenario, "checkout: {serve: verifier, of: edge}",
		"checkout: {command: [./checkout, '{{ .auth.url }}'], healthcheck: /healthz, scale: full, "+
			"refusal: {log: '^rejected (?P<credential>[^ ]+) of (?P<presenter>[^ ]+)'}}", 1))
	l.names.AddCredential("kid-1", "k1")
	for _, text := range []string{"rejected kid-1 of web", "took kid-1 of web", "rejected kid-2 of bot"} {
		l.Line("checkout", []byte(text))
	}
	l.Line("checkout", line("accepted", `,"presenter":"web","identifier":"kid-1","status":"200"`))
	l.flush(history.Offset(time.Hour))
	r.See(func(v *history.View) {
		for key, want := range map[history.CellKey]int64{
			{Source: history.FromConsumer, Presenter: "web", Validator: "checkout", Credential: "k1"}:    1,
			{Source: history.FromConsumer, Presenter: "bot", Validator: "checkout", Credential: "kid-2"}: 1,
		} {
			if got := v.Sum(key, 0, history.Offset(time.Hour)); got.AuthFailures != want || got.Attempts != want {
				t.Errorf("%+v: got %d refused of %d, want %d", key, got.AuthFailures, got.Attempts, want)
			}
		}
		if len(v.Cells) != 2 {
			t.Errorf("got %d cells, want 2", len(v.Cells))
		}
	})
	if got := l.Told("checkout"); got != 0 {
		t.Errorf("got %d decisions told, want none", got)
	}
}
