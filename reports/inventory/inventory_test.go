package inventory_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/reports"
	"github.com/rehearse-dev/rehearse/reports/inventory"
)

var now = time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC)

const page = `apiVersion: rehearse/v1
kind: Runbook
scope:        {name: payments-api-key, family: api-key}
storage:      {store: vault, publish: {path: secret/data/billing/payments-api-key}, distribution: poll}
consumers:    [{name: billing, roles: [emit]}]
format:       {type: bearer, identifier: tag}
rollout:      {lead: 1m, watch: 10m}
overlap:      {window: 5m}
verification: {slo: {objective: 99.9%}}
schedule:     {cadence: 90d, owner: payments-team, next_review: 2026-11-23}
`

func load(t *testing.T, text string) inventory.Page {
	t.Helper()
	loaded, err := runbook.Load(fstest.MapFS{"p.yaml": {Data: []byte(text)}}, "p.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return inventory.Page{File: "p.yaml", Loaded: loaded}
}

// run is a saved run of a secret some days ago; of the page itself if digest is its.
func run(secret, digest string, days int, verdict judge.Outcome) inventory.Run {
	return inventory.Run{Folder: "runs/x", Model: &reports.Model{
		Secret: secret, RunbookDigest: digest, StartedAt: now.AddDate(0, 0, -days), Scenario: "s",
		Verdict: judge.Verdict{Verdict: verdict},
	}}
}

// simulated is a run in which nothing was rotated.
func simulated(r inventory.Run) inventory.Run {
	r.Runtime = scenario.Simulated
	return r
}

func TestFilter(t *testing.T) {
	all := []inventory.Secret{
		{Name: "a", Owner: "x", Family: "api-key", Overdue: []string{"late"}}, {Name: "b", Owner: "y", Family: "api-key"}, {Name: "c", Owner: "x", Family: "webhook-secret"},
	}
	for want, f := range map[string]inventory.Filter{
		"abc": {}, "ac": {Owner: "x"}, "ab": {Family: "api-key"}, "a": {Overdue: true}, "c": {Owner: "x", Family: "webhook-secret"}, "": {Owner: "z"},
	} {
		got := ""
		for _, s := range f.Of(all) {
			got += s.Name
		}
		if got != want {
			t.Errorf("%+v: got %q, want %q", f, got, want)
		}
	}
}

func TestOf(t *testing.T) {
	written := load(t, page)
	for _, tt := range []struct {
		name    string
		page    inventory.Page
		runs    []inventory.Run
		last    string
		next    string
		overdue []string
		stands  inventory.Standing
	}{
		{"never rehearsed", written, nil, "never", "", nil, inventory.Unknown},
		{"only simulated", written, []inventory.Run{simulated(run("payments-api-key", written.Digest, 1, judge.Pass))}, "never", "", nil, inventory.Unknown},
		{"failed", written, []inventory.Run{run("payments-api-key", written.Digest, 1, judge.Fail)}, "fail on 2026-11-22", "2027-02-20", nil, inventory.Failed},
		{"could not tell", written, []inventory.Run{run("payments-api-key", written.Digest, 1, judge.Inconclusive)}, "inconclusive on 2026-11-22", "2027-02-20", nil, inventory.Unknown},
		{"other secrets only", written, []inventory.Run{run("other", "x", 1, judge.Pass)}, "never", "", nil, inventory.Unknown},
		{"the newest counts", written, []inventory.Run{
			run("payments-api-key", written.Digest, 3, judge.Fail), run("payments-api-key", written.Digest, 1, judge.Pass),
			run("payments-api-key", written.Digest, 2, judge.Inconclusive),
		}, "pass on 2026-11-22", "2027-02-20", nil, inventory.Ready},
		{"the page as it is written goes before a newer one of its secret", written, []inventory.Run{
			run("payments-api-key", "x", 1, judge.Fail), run("payments-api-key", written.Digest, 5, judge.Pass), run("payments-api-key", "x", 2, judge.Fail),
		}, "pass on 2026-11-18", "2027-02-16", nil, inventory.Ready},
		{"a page that was changed since", written, []inventory.Run{
			run("payments-api-key", "x", 4, judge.Pass), run("payments-api-key", "y", 3, judge.Fail),
		}, "fail on 2026-11-20, of another version of the page", "2027-02-18", nil, inventory.Unknown},
		{"90 days ago", written, []inventory.Run{run("payments-api-key", written.Digest, 90, judge.Pass)}, "pass on 2026-08-25", "2026-11-23", nil, inventory.Ready},
		{"91 days ago", written, []inventory.Run{run("payments-api-key", written.Digest, 91, judge.Pass)}, "pass on 2026-08-24", "2026-11-22",
			[]string{"last rehearsed 91d ago, every 90d is planned"}, inventory.Late},
		{"review yesterday", load(t, strings.Replace(page, "2026-11-23", "2026-11-22", 1)), nil, "never", "", []string{"the review was due on 2026-11-22"}, inventory.Late},
	} {
		t.Run(tt.name, func(t *testing.T) {
			secrets := inventory.Of([]inventory.Page{tt.page}, tt.runs, now)
			if len(secrets) != 1 {
				t.Fatalf("got %d secrets, want 1", len(secrets))
			}
			s := secrets[0]
			if got := s.Last.String(); got != tt.last {
				t.Errorf("last rehearsal is %q, want %q", got, tt.last)
			}
			if s.Standing != tt.stands {
				t.Errorf("stands as %s, want %s", s.Standing, tt.stands)
			}
			if s.NextRehearsal != tt.next {
				t.Errorf("next rehearsal is %q, want %q", s.NextRehearsal, tt.next)
			}
			if strings.Join(s.Overdue, "\n") != strings.Join(tt.overdue, "\n") || inventory.Overdue(secrets) != (len(tt.overdue) > 0) {
				t.Errorf("overdue is %q, want %q", s.Overdue, tt.overdue)
			}
		})
	}
}

func TestWriters(t *testing.T) {
	late := load(t, strings.NewReplacer("2026-11-23", "2026-11-22", "payments-api-key", "old-key", "payments-team", `"risk, and more; “quoted”"`).Replace(page))
	written := load(t, page)
	secrets := inventory.Of([]inventory.Page{written, late}, []inventory.Run{run("payments-api-key", written.Digest, 1, judge.Pass)}, now)

	var table, message, list, calendar bytes.Buffer
	for _, err := range []error{
		inventory.WriteTable(&table, secrets), inventory.WriteMessage(&message, secrets),
		inventory.WriteJSON(&list, secrets), inventory.WriteICalendar(&calendar, secrets, now),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(table.String(), "\noverdue: old-key: the review was due on 2026-11-22\n") {
		t.Errorf("table does not say what is overdue:\n%s", &table)
	}
	const want = "*Secret rotations: 2 secrets, 1 overdue*\n" +
		"✗ `old-key` (risk, and more; “quoted”): the review was due on 2026-11-22; last rehearsal: never\n" +
		"✓ `payments-api-key` (payments-team): next review 2026-11-23, next rehearsal 2027-02-20; last rehearsal: pass on 2026-11-22\n"
	if message.String() != want {
		t.Errorf("message is\n%swant\n%s", &message, want)
	}
	var read []inventory.Secret
	if err := json.Unmarshal(list.Bytes(), &read); err != nil || len(read) != 2 || read[1].Last.Verdict != "pass" {
		t.Errorf("JSON reads as %+v, %v", read, err)
	}
	parsed, err := ics.ParseCalendar(&calendar)
	if err != nil {
		t.Fatal(err)
	}
	dates := map[string]string{}
	for _, e := range parsed.Events() {
		start, err := e.GetAllDayStartAt()
		if err != nil {
			t.Fatal(err)
		}
		dates[e.Id()] = start.Format(time.DateOnly)
	}
	if len(dates) != 3 || dates["rehearsal.payments-api-key@rehearse"] != "2027-02-20" || dates["review.old-key@rehearse"] != "2026-11-22" {
		t.Errorf("calendar has %v, want two reviews and the next rehearsal of payments-api-key", dates)
	}
}
