package attached

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// TestLogsThatNobodyUnderstands: of a log with another format, of another server or without logins it is told that nothing
// of it was understood, without its secrets; of one that tells of a credential of this run nothing is.
func TestLogsThatNobodyUnderstands(t *testing.T) {
	const (
		value   = "k3Fz81QpLw0vTn5s"
		audit   = "20261201 12:00:00,vm,%s,127.0.0.1,5,0,CONNECT,shop,,0"
		shipped = `{"ts":1764590400,"msg":"login","user":"shop_a","password":"` + value + `"}`
		of      = " of /var/log/db.log "
	)
	many := func(line string, n int) (lines []string) {
		for range n {
			lines = append(lines, line)
		}
		return lines
	}
	for _, tt := range []struct {
		name   string
		told   scenario.Decisions
		lines  []string
		letIn  bool   // the run itself
		during string // what is told in the run
		atEnd  string
	}{
		{"another format", scenario.Decisions{Format: scenario.MariaDBDecisions, File: "/var/log/db.log"}, []string{shipped}, true,
			"1 line" + of + `was read and none was understood as a decision: format: mariadb does not match; for instance: {"ts"#,"msg":"login","user":"shop_a","password":"[secret]`,
			""},
		{"another format, and no login of ours", scenario.Decisions{Format: "postgresql", File: "/var/log/db.log"}, many(shipped, manyLines), false,
			"20 lines" + of + "were read and none was understood as a decision: format: postgresql does not match", "for instance: {"},
		{"few lines, and no login of ours", scenario.Decisions{Format: "postgresql", File: "/var/log/db.log"}, many(shipped, manyLines-1), false, "", "19 lines" + of},
		{"expressions that do not match", scenario.Decisions{Accepted: `let in (?P<identifier>\S+)`, Refused: `kept out (?P<identifier>\S+)`}, many("shop_a in", manyLines), false,
			"20 lines of the log of db were read and none was understood as a decision: its accepted and refused match none of them; for instance: shop_a in", ""},
		{"another server", scenario.Decisions{Format: scenario.MariaDBDecisions, File: "/var/log/db.log"}, many(fmt.Sprintf(audit, "reports"), 3), true,
			"3 lines" + of + "were read, 3 of them about decisions, and none of a credential of this run; db has let the run itself in", ""},
		{"nothing is written", scenario.Decisions{Format: scenario.RabbitMQDecisions, File: "/var/log/db.log"}, nil, true, "nothing was written to /var/log/db.log since the run reads it; db has let the run itself in, so its log is another one, or does not have logins", ""},
		{"nobody logs in", scenario.Decisions{Format: scenario.MariaDBDecisions, File: "/var/log/db.log"}, many(fmt.Sprintf(audit, "reports"), 3), false, "", "and none of a credential of this run"},
		{"the run's own login", scenario.Decisions{Format: scenario.MariaDBDecisions, File: "/var/log/db.log"}, append(many("odd", 100), fmt.Sprintf(audit, "shop_b")), true, "", ""},
		{"a refusal without a name", scenario.Decisions{Accepted: "let in", Refused: "kept out"}, append(many("odd", 100), "kept out"), false, "", ""},
		{"a server that is asked", scenario.Decisions{Format: scenario.RedisDecisions}, nil, true, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &System{
				plan:        &plan.Plan{Services: []plan.Service{{Name: "shop"}}},
				attach:      &scenario.Attach{Present: map[string]scenario.Present{"db": {DSN: "mysql://{{ .identifier }}:{{ .value }}@127.0.0.1:1/shop"}}, Decisions: map[string]scenario.Decisions{"db": tt.told}},
				identifiers: map[string]string{"k1": "shop_a", "k2": "shop_b"}, made: []string{"k1", "k2"}, secrets: []string{value},
			}
			if tt.told.Format == "postgresql" {
				s.attach.Present["db"] = scenario.Present{DSN: "postgres://{{ .identifier }}:{{ .value }}@127.0.0.1:1/shop"}
			}
			d := newDecisionReader(s)
			s.seen = d
			d.record, d.tell = func(history.Event) {}, func(string, []byte) {}
			now := time.Now()
			if tt.letIn {
				d.letIn("db", now)
			}
			for _, line := range tt.lines {
				d.line("db", []byte(line))
			}
			if tt.letIn && len(tt.lines) < manyLines {
				told(t, "before the log could have it", d.unread(now, false), "", value)
			}
			during := d.unread(now.Add(2*isTold), false)
			told(t, "in the run", during, tt.during, value)
			if again := d.unread(now.Add(3*isTold), false); len(again) > 0 {
				t.Errorf("told %v again", again)
			}
			told(t, "at the end", d.unread(now.Add(4*isTold), true), cmp.Or(tt.atEnd, tt.during), value)
			if during != nil {
				d.understands("db", true)
				if now := d.unread(now.Add(5*isTold), false); len(now) != 1 || now[0].Detail != "" {
					t.Errorf("once it tells: got %v, want that it does", now)
				}
			}
		})
	}
}

// told holds events about logs against what they are to say; "": there is to be none.
func told(t *testing.T, when string, got []history.Event, want, secret string) {
	t.Helper()
	switch {
	case want == "" && len(got) == 0:
	case want == "" || len(got) != 1 || !strings.Contains(got[0].Detail, want):
		t.Errorf("%s: got %v, want %q", when, got, want)
	case strings.Contains(got[0].Detail, secret):
		t.Errorf("%s: %q has the secret", when, got[0].Detail)
	}
}
