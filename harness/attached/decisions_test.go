package attached_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rehearse-dev/rehearse/harness/attached"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// aValue is the value of every credential in these tests.
const aValue = "p@ss/w%rd"

// attachValues is a system of a family without tokens, at an address where nobody
// answers, with a log that a test writes.
func attachValues(t *testing.T, family, decisions string) (s *attached.System, log func(lines ...string), told func(n int) []string) {
	t.Helper()
	dir := t.TempDir()
	service, present, format := "db", `{dsn: "postgres://{{ .identifier }}:{{ .value }}@127.0.0.1:1/shop"}`, "{type: postgresql, identifier: tag, longest_life: 10m}"
	if strings.HasSuffix(family, "in place") {
		family, present = strings.TrimSuffix(family, " in place"), `{dsn: "postgres://shop:{{ .value }}@127.0.0.1:1/shop"}`
		service = "db: {holds: 1}"
	} else {
		service = "db: {}"
	}
	if strings.Contains(decisions, "format: mariadb") {
		present, format = strings.Replace(present, "postgres://", "mysql://", 1), strings.Replace(format, "postgresql", "mariadb", 1)
	}
	if strings.Contains(decisions, "format: rabbitmq") {
		present, format = strings.Replace(present, "postgres://", "amqp://", 1), strings.Replace(format, "postgresql", "rabbitmq", 1)
	}
	if family == "api-key" {
		present, format = `{path: /, headers: {X-Key: "{{ .value }}"}}`, "{type: bearer, identifier: tag}"
	}
	page := strings.NewReplacer("jwt-signing-key", family, "jwks, jwks: /jwks", "file", "canary, logs", "availability").Replace(page)
	page = strings.Replace(page, "  - {name: auth, roles: [emit], refresh: 1s}\n  - {name: search, roles: [validate], library: jwx}\n", "  - {name: shop, roles: [emit], refresh: 1s}\n", 1)
	page = strings.Replace(page, "{type: ES256, identifier: kid, longest_life: 10m}", format, 1)
	text := `
apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
attach:
  urls: {db: "tcp://127.0.0.1:1", shop: "http://127.0.0.1:1"}
  current: {command: [sh, -c, "echo one"]}
  value: {command: [sh, -c, "echo '` + aValue + `'", "{{ .identifier }}"]}
  present: {db: ` + present + `}
  decisions: {db: ` + decisions + `}
  steps:
    make: {command: [sh, -c, "echo two"]}
    accept: {command: ["true"]}
    emit: {command: ["true"]}
    revoke: {command: ["true"]}
    restore: {command: ["true"]}
    withdraw: {command: ["true"]}
services: {` + service + `, shop: {agent: "orders-app"}}
load: [{client: web, to: shop, rate: 1/s}]
`
	loaded, err := scenario.Load(fstest.MapFS{"page.yaml": {Data: []byte(page)}, "s.yaml": {Data: []byte(text)}}, "s.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Build(loaded, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	endpoints := []world.Endpoint{{Service: "db", URL: "tcp://127.0.0.1:1"}, {Service: "shop", URL: "http://127.0.0.1:1"}}
	attached.Evidence(p, endpoints)
	if s, err = attached.New(p, endpoints, attached.Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "server.log")
	log = func(lines ...string) {
		f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = fmt.Fprintln(f, strings.Join(lines, "\n"))
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	log("what was there before: connection authorized: user=one database=shop")
	makeBoth(t, s)
	lines := make(chan string, 100)
	ctx, cancel := context.WithCancel(t.Context())
	_, follow, err := s.Decide(ctx, func(_ string, line []byte) {
		if l, ok := history.ParseLine(line); ok {
			lines <- fmt.Sprintf("%s %s by %s with %s: %s", l.Service, l.Message, l.Presenter, l.Identifier, l.Status)
		}
	}, func(e history.Event) { lines <- fmt.Sprintf("%s emits %s", e.Service, e.Identifier) })
	if err != nil {
		t.Fatal(err)
	}
	var tasks sync.WaitGroup
	for _, f := range follow {
		tasks.Go(f)
	}
	t.Cleanup(func() { cancel(); tasks.Wait() })
	return s, log, func(n int) (got []string) {
		t.Helper()
		for range n {
			select {
			case line := <-lines:
				got = append(got, line)
			case <-time.After(20 * time.Second):
				t.Fatalf("told %q, want %d lines", got, n)
			}
		}
		return got
	}
}

// TestPostgresLog: with two roles the role says which credential it was.
func TestPostgresLog(t *testing.T) {
	t.Parallel()
	_, log, told := attachValues(t, "database-password", "{file: server.log, format: postgresql}")
	log(`2026-11-29 06:00:16.5 UTC [7] LOG:  connection authorized: user=one database=shop application_name=orders-app/3.2`,
		`2026-11-29 06:00:16.5 UTC [8] LOG:  connection authorized: user=postgres database=shop application_name=psql`)
	want := []string{"db accepted by shop with one: 00000", "shop emits one"}
	if got := told(2); !slices.Equal(got, want) {
		t.Errorf("a login: got %q, want %q", got, want)
	}
	log(`app=x [9] LOG:  connection authorized: user=two database=shop`, // and then it is not let in
		`app=x [9] FATAL:  role "two" is not permitted to log in`)
	want = []string{"db refused by shop with two: 28000", "shop emits two"}
	if got := told(2); !slices.Equal(got, want) {
		t.Errorf("a role without LOGIN: got %q, want %q", got, want)
	}
	log(`[9] FATAL:  password authentication failed for user "one"`, `[9] FATAL:  password authentication failed for user "other"`)
	want = []string{"db refused by shop with one: 28P01", "shop emits one"}
	if got := told(2); !slices.Equal(got, want) {
		t.Errorf("a wrong password: got %q, want %q", got, want)
	}
}

// TestPostgresLogOfWhatIsNoPassword: what a server says of one that it has authorised,
// by its process, and what it refuses before it asks for a password.
func TestPostgresLogOfWhatIsNoPassword(t *testing.T) {
	t.Parallel()
	_, log, told := attachValues(t, "database-password", "{file: server.log, format: postgresql}")
	for _, tt := range []struct {
		lines []string
		want  []string
	}{
		{[]string{
			`[8] LOG:  connection authorized: user=two database=shop application_name=rehearse-probe`, `[8] FATAL:  too many connections for role "two"`,
			`[9] LOG:  connection authorized: user=two database=shop application_name=orders-app/3.2`, `[9] FATAL:  too many connections for role "two"`,
		}, []string{"db undecided by shop with two: 53300 role limit"}},
		{[]string{
			`[9] LOG:  connection authorized: user=two database=shop application_name=orders-app/3.2`,
			`[9] FATAL:  remaining connection slots are reserved for non-replication superuser connections`,
		}, []string{"db undecided by shop with two: 53300"}},
		{[]string{`[9] FATAL:  no pg_hba.conf entry for host "127.0.0.1", user "two", database "shop", no encryption`}, []string{"db refused by shop with two: 28000", "shop emits two"}},
		{[]string{`[10] LOG:  connection authorized: user=two database=shop application_name=orders-app/3.2`}, []string{"db accepted by shop with two: 00000"}},
		{[]string{
			`[10] ERROR:  permission denied for table orders`, `[10] STATEMENT:  SELECT n FROM orders`, `[10] ERROR:  permission denied for table orders`,
			`[10] ERROR:  division by zero`, `[11] ERROR:  permission denied for table orders`,
			`[10] FATAL:  terminating connection due to administrator command`,
		}, []string{"db denied by shop with two: 42501", "db ended by shop with two: 57P01"}},
	} {
		log(tt.lines...)
		if got := told(len(tt.want)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.lines[len(tt.lines)-1], got, tt.want)
		}
	}
}

// TestWhoIsNotNamed: who logs in without a name is the only one on the page, unless that
// one names itself.
func TestWhoIsNotNamed(t *testing.T) {
	t.Parallel()
	_, log, told := attachValues(t, "database-password", "{file: server.log, format: postgresql}")
	for _, tt := range []struct {
		lines []string
		want  []string
	}{
		{[]string{`LOG:  connection authorized: user=one database=shop application_name=orders-app/3.2`}, []string{"db accepted by shop with one: 00000", "shop emits one"}},
		{[]string{`LOG:  connection authorized: user=one database=shop`}, []string{"db accepted by somebody with one: 00000", "somebody emits one"}},
		{[]string{`LOG:  connection authorized: user=two database=shop application_name=orders-app/3.2`}, []string{"db accepted by shop with two: 00000", "shop emits two"}},
		// The server names nobody whose password is wrong: one of the two uses it still.
		{[]string{`FATAL:  password authentication failed for user "one"`}, []string{"db refused by somebody with one: 28P01"}},
		{[]string{`LOG:  connection authorized: user=one database=shop`, `FATAL:  role "one" is not permitted to log in`}, []string{"db refused by somebody with one: 28000"}},
		{[]string{`FATAL:  password authentication failed for user "two"`}, []string{"db refused by shop with two: 28P01"}},
	} {
		log(tt.lines...)
		if got := told(len(tt.want)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.lines[len(tt.lines)-1], got, tt.want)
		}
	}
}

// TestPostgresLogInPlace: of one role whose password is changed, it is let in with
// the new one and refused with the other.
func TestPostgresLogInPlace(t *testing.T) {
	t.Parallel()
	s, log, told := attachValues(t, "database-password in place", "{file: server.log, format: postgresql}")
	log(`LOG:  connection authorized: user=shop database=shop`)
	if got := told(2)[0]; got != "db accepted by shop with one: 00000" {
		t.Errorf("before: got %q, want it with the old one", got)
	}
	if err := s.Do(t.Context(), keyring.Accept, "k2"); err != nil {
		t.Fatal(err)
	}
	log(`FATAL:  password authentication failed for user "shop"`)
	if got := told(1)[0]; got != "db refused by shop with one: 28P01" {
		t.Errorf("a refusal after it: got %q, want it with the old one", got)
	}
	log(`LOG:  connection authorized: user=shop database=shop`)
	if got := told(1)[0]; got != "db accepted by shop with two: 00000" {
		t.Errorf("a login after it: got %q, want it with the new one", got)
	}
}

// TestMariaDBAudit: with two users the user says which credential it was, and whoever
// failed for another reason than a credential is no refusal.
func TestMariaDBAudit(t *testing.T) {
	t.Parallel()
	_, log, told := attachValues(t, "database-password", "{file: server.log, format: mariadb}")
	log(`20261130 06:48:19,vm,one,127.0.0.1,5,0,CONNECT,shop,,0`, `20261130 06:48:19,vm,one,127.0.0.1,5,0,DISCONNECT,shop,,0`,
		`20261130 06:48:19,vm,admin,127.0.0.1,6,0,CONNECT,,,0`)
	want := []string{"db accepted by shop with one: OK", "shop emits one"}
	if got := told(2); !slices.Equal(got, want) {
		t.Errorf("a login: got %q, want %q", got, want)
	}
	log(`20261130 06:48:19,vm,two,127.0.0.1,7,0,FAILED_CONNECT,,,1040`, `20261130 06:48:19,vm,other,127.0.0.1,7,0,FAILED_CONNECT,,,1045`,
		`20261130 06:48:19,vm,two,127.0.0.1,7,0,FAILED_CONNECT,,,1045`, `Nov 30 06:48:19 vm mysql-server_auditing: vm,two,127.0.0.1,8,0,FAILED_CONNECT,,,4151`)
	want = []string{"db undecided by shop with two: 1040", "db refused by shop with two: 1045", "shop emits two", "db refused by shop with two: 4151"}
	if got := told(4); !slices.Equal(got, want) {
		t.Errorf("refusals: got %q, want %q", got, want)
	}
	log(`20261130 06:48:19,vm,two,127.0.0.1,9,0,FAILED_CONNECT,,,1044`)
	want = []string{"db denied by shop with two: 1044", "db undecided by shop with two: 1044"}
	if got := told(2); !slices.Equal(got, want) {
		t.Errorf("no right to the database: got %q, want %q", got, want)
	}
}

// TestLogByExpressions: what a log says in its own words, by named groups.
func TestLogByExpressions(t *testing.T) {
	t.Parallel()
	s, log, told := attachValues(t, "api-key",
		`{file: server.log, accepted: 'key=(?P<identifier>\S+) from (?P<presenter>\S+) -> (?P<status>2\d\d)', refused: 'key=(?P<identifier>\S+) from (?P<presenter>\S+) -> (?P<status>401)'}`)
	log("GET /charges key=one from orders-app/2 -> 201", "nothing of ours", "GET /charges key=two from stranger -> 401")
	want := []string{"db accepted by shop with one: 201", "shop emits one", "db refused by stranger with two: 401", "stranger emits two"}
	if got := told(4); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	// What nobody here gave, and was never taken, is none that somebody rotated to.
	log("GET /charges key=- from orders-app/2 -> 401", "GET /charges key=- from curl/8 -> 401", "GET /charges key=three from orders-app/2 -> 201")
	want = []string{"db refused by shop with : 401", "db refused by curl/8 with -: 401", "db accepted by shop with three: 201", "shop emits three"}
	if got := told(4); !slices.Equal(got, want) {
		t.Errorf("of nobody here: got %q, want %q", got, want)
	}
	// A provider's log has others with keys of their own. And an access log has a word for a caller that
	// did not say its name.
	log("GET /charges key=theirs from rival/1 -> 201", "GET /charges key=one from - -> 201")
	want = []string{"db accepted by somebody with one: 201", "somebody emits one"}
	if got := told(2); !slices.Equal(got, want) {
		t.Errorf("of nobody in particular: got %q, want %q", got, want)
	}
	// A line of their form with another status is an answer that is neither, and is told as it is, too.
	log("GET /charges key=one from orders-app/2 -> 429", "GET /charges key=three from orders-app/2 -> 429", "GET /charges key=one in 429 ms")
	want = []string{"db undecided by shop with one: 429", "shop emits one"}
	if got := told(2); !slices.Equal(got, want) {
		t.Errorf("neither: got %q, want %q", got, want)
	}
	if got := s.Secrets(); !slices.Equal(got, []string{aValue}) {
		t.Errorf("secrets: got %d, want the value that was read", len(got))
	}
	probe, err := s.Present(t.Context(), "db", "k1", history.Canary)
	if err == nil && probe.Outcome != history.Unavailable || err != nil && strings.Contains(err.Error(), aValue) {
		t.Errorf("nobody there: got %+v, %v, want no answer and no value", probe, err)
	}
}
