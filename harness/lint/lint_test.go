package lint_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/lint"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/source"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// today is before the reviews of all pages here.
var today = time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC)

const healthy = `apiVersion: rehearse/v1
kind: Runbook
scope:        {name: session-signing-key, family: jwt-signing-key}
storage:      {store: vault, publish: {path: secret/data/auth/session-signing-key}, distribution: jwks, jwks: /.well-known/jwks.json}
consumers:
  - {name: auth,   roles: [emit], refresh: 30s}
  - {name: search, roles: [validate], library: jwx}
format:       {type: ES256, identifier: kid, longest_life: 10m}
rollout:      {lead: 16m, propagation: 30s, watch: 16m}
overlap:      {window: 10m30s}
verification: {slo: {objective: 99.9%}}
rollback:     {when: {auth_failures_over: 1%, for: 10s}, decides: identity on-call, steps: [restore-accept, tell the support desk]}
schedule:     {owner: identity-team, next_review: 2026-11-23, cadence: 90d}
`

// TestPage breaks one line of a healthy page at a time.
func TestPage(t *testing.T) {
	for _, tt := range []struct {
		name, old, new string
		rule, place    string // LINE:COLUMN
		fix            string
	}{
		{"as it is", "", "", "", "", ""},
		{"lead", "lead: 16m", "lead: 15m", "G1", "9:22", "rollout.lead: at least 16m"},
		{"window", "window: 10m30s", "window: 10m29s", "G2", "10:24", "overlap.window: at least 10m30s"},
		{"watch", "watch: 16m", "watch: 1m", "G3", "9:52", "rollout.watch: at least 16m"},
		{"validator that never forgets", "library: jwx", "library: go-oidc", "G3", "9:52", "no rollout.watch is long enough: make search fetch anew"},
		{"one slot", "library: jwx", "library: single-key", "one-key-validator", "7:5", "let search hold two, and choose by kid"},
		{"again within what caches keep", "cadence: 90d", "cadence: 26m", "back-to-back", "13:72", "schedule.cadence: at least 26m30s"},
		{"again just after", "cadence: 90d", "cadence: 26m30s", "", "", ""},
		{"no owner", "owner: identity-team, ", "", "missing-owner", "13:15", "schedule.owner"},
		{"review yesterday", "2026-11-23", "2026-11-22", "review-overdue", "13:51", "2027-02-21"},
		{"no review", "next_review: 2026-11-23, ", "", "review-overdue", "13:15", "2027-02-21"},
		{"no schedule", "schedule:     {owner: identity-team, next_review: 2026-11-23, cadence: 90d}\n", "", "missing-owner review-overdue", "", ""},
		{"no rollback", "rollback:     {when: {auth_failures_over: 1%, for: 10s}, decides: identity on-call, steps: [restore-accept, tell the support desk]}\n", "", "no-rollback-signal", "", "auth_failures_over: 1%"},
		{"no ratio", "{auth_failures_over: 1%, for: 10s}", "{for: 10s}", "no-rollback-signal", "12:22", "auth_failures_over: 1%"},
		{"nobody decides", "decides: identity on-call, ", "", "nobody-decides", "12:15", "rollback.decides: identity on-call"},
		{"an empty decides", "decides: identity on-call", "decides: ", "nobody-decides", "12:66", "rollback.decides: identity on-call"},
		{"a misspelt way back", "[restore-accept,", "[restore-acept,", "unknown-rollback-step", "12:93", `did you mean "restore-accept"`},
		{"a way back that is none", "[restore-accept,", "[reboot,", "unknown-rollback-step", "12:93", "one of restore-accept, restore-emit, withdraw-new"},
		{"no identifier", "identifier: kid, ", "", "missing-identifier", "8:15", "format.identifier: kid"},
		{"exception without a reason", "{window: 10m30s}", "{window: 1h, exceptions: [{client: app, until: 30m}]}",
			"exception-without-reason", "10:41", "because"},
		{"exception beyond the window", "{window: 10m30s}", "{window: 1h, exceptions: [{client: app, until: 24h, because: slow}]}",
			"exception-outlives-window", "10:62", "overlap.window: at least 24h"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(healthy, tt.old, tt.new, 1)
			if tt.old != "" && text == healthy {
				t.Fatalf("the page has no %q", tt.old)
			}
			page, err := runbook.Load(fstest.MapFS{"p.yaml": {Data: []byte(text)}}, "p.yaml")
			if err != nil {
				t.Fatal(err)
			}
			found := lint.Runbook(page, today)
			if got := strings.Join(rulesOf(found), " "); got != tt.rule {
				t.Fatalf("found %q, want %q: %v", got, tt.rule, found)
			}
			if len(found) != 1 {
				return
			}
			if want := "p.yaml:" + tt.place; tt.place != "" && found[0].Position.String() != want {
				t.Errorf("found at %s, want %s", found[0].Position, want)
			}
			if !strings.Contains(found[0].Fix, tt.fix) {
				t.Errorf("says %q, want %q in it", found[0].Fix, tt.fix)
			}
		})
	}
}

func rulesOf(found []lint.Finding) []string {
	var rules []string
	for _, f := range found {
		rules = append(rules, f.RuleID)
	}
	return rules
}

// pageTells are the causes that follow from the figures of a page, and from how
// many credentials a validator holds. Of other causes (a script that nobody runs,
// a provider's own rules, a fault) a page may know nothing.
var pageTells = []judge.Cause{judge.CauseStaleCache, judge.CauseSharedCache, judge.CauseOutlived, judge.CauseFlagDay, judge.CauseOneSlot, judge.CauseCutOff, judge.CauseTooManyConns}

// TestBuiltIn holds every scenario of this repository against the rules: of the
// known-bad ones each is found whose cause a page tells, and each that is known
// by the rule that says why; nothing is said of those that pass.
func TestBuiltIn(t *testing.T) {
	known := map[string]string{
		"api-key/environment-not-restarted":           "slower-than-page",
		"api-key/late-file":                           "slower-than-page",
		"api-key/missed-consumer":                     "not-on-page",
		"attached/short-lead":                         "G1",
		"database-password/connection-storm":          "no-room-for-pools",
		"database-password/cut-off":                   "G2",
		"database-password/environment-not-restarted": "slower-than-page",
		"database-password/flag-day":                  "one-key-validator",
		"database-password/kept-longer":               "outlives-page",
		"database-password/missed-consumer":           "not-on-page",
		"database-password/pool-hides":                "slower-than-page",
		"jwt-signing-key/flag-day":                    "G1",
		"jwt-signing-key/late-publish":                "slower-than-page",
		"jwt-signing-key/missed-consumer":             "not-on-page",
		"jwt-signing-key/missed-signer":               "not-on-page",
		"jwt-signing-key/revoked-key-accepted":        "G3",
		"jwt-signing-key/shared-cache":                "G1",
		"jwt-signing-key/short-overlap":               "G2",
		"jwt-signing-key/single-key":                  "one-key-validator",
		"jwt-signing-key/stale-cache":                 "G1",
		"webhook-secret/flag-day":                     "G1",
		"webhook-secret/secret-volume-short-lead":     "G1",
		"api-key/config-map":                          "secret-in-config-map",
		"api-key/secret-volume-sub-path":              "sub-path",
		"api-key/secret-env-not-rolled-out":           "slower-than-page",
		"webhook-secret/late-sender":                  "slower-than-page",
		"webhook-secret/missed-receiver":              "not-on-page",
		"webhook-secret/never-reloads":                "slower-than-page",
		"jwt-shared-secret/one-secret":                "one-key-validator",
		"jwt-shared-secret/short-lead":                "G1",
		"webhook-secret/one-secret":                   "one-key-validator",
		"webhook-secret/queued-retries":               "G2",
	}
	files, err := fs.Glob(scenarios.FS, "*/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		if path.Base(file) == "runbook.yaml" {
			continue
		}
		name := strings.TrimSuffix(file, ".yaml")
		loaded, err := scenario.Load(scenarios.FS, file)
		if err != nil {
			t.Fatal(err)
		}
		found, err := lint.Scenario(loaded, today)
		if err != nil {
			t.Fatal(err)
		}
		e := loaded.Scenario.Expect
		rule, told := known[strings.TrimSuffix(name, "-gated")]
		switch {
		case e == nil:
		case e.Verdict == "pass" && told: // it works, and is advised against
			seen[name] = true
			if got := rulesOf(found); !slices.Equal(got, []string{rule}) {
				t.Errorf("%s: found %v, want %s alone", name, found, rule)
			}
		case e.Verdict == "pass":
			if len(found) > 0 {
				t.Errorf("%s passes, and lint found %v", name, found)
			}
		case told:
			seen[strings.TrimSuffix(name, "-gated")] = true
			if !slices.Contains(rulesOf(found), rule) {
				t.Errorf("%s: found %v, want %s", name, found, rule)
			}
		case len(loaded.Scenario.Faults) == 0 && !loaded.Scenario.Compromised && len(found) == 0:
			for _, f := range e.Findings {
				if slices.Contains(pageTells, judge.Cause(f.Cause)) {
					t.Errorf("%s fails by %s, and lint found nothing", name, f.Cause)
				}
			}
		}
	}
	for name := range known {
		if !seen[name] {
			t.Errorf("there is no scenario %s", name)
		}
	}
}

// TestProject finds who is set up with the secret, or with its key set, in a
// compose project and is not on the page.
func TestProject(t *testing.T) {
	page, err := runbook.Load(fstest.MapFS{"p.yaml": {Data: []byte(healthy)}}, "p.yaml")
	if err != nil {
		t.Fatal(err)
	}
	written, _, ok := strings.Cut(page.Storage.Publish.Path, "/data/")
	if !ok {
		t.Fatalf("the page publishes at %q", page.Storage.Publish.Path)
	}
	cli := written + strings.TrimPrefix(page.Storage.Publish.Path, written+"/data")
	at := source.Position{File: "docker-compose.yml", Line: 3, Column: 3}
	found := lint.Project(page.Runbook, page.Position("consumers"), []lint.ProjectService{
		{Name: "auth", Settings: []string{"SECRET=" + page.Storage.Publish.Path}},
		{Name: "reports", Position: at, Settings: []string{"LOG=debug", "JWKS=http://auth" + page.Storage.JWKS}},
		{Name: "nightly", Settings: []string{"vault kv get " + cli + " of-a-value"}},
		{Name: "web", Settings: []string{"AUTH=http://auth"}},
	})
	var got []string
	for _, f := range found {
		got = append(got, f.Position.String()+" "+f.RuleID+" "+f.Consumer)
		if strings.Contains(f.Message, "of-a-value") {
			t.Errorf("%s: quotes a setting: %s", f.Consumer, f.Message)
		}
	}
	want := []string{"docker-compose.yml:3:3 project-not-on-page reports", page.Position("consumers").String() + " project-not-on-page nightly"}
	if !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}

func TestReaders(t *testing.T) {
	page, err := runbook.Load(fstest.MapFS{"p.yaml": {Data: []byte(healthy)}}, "p.yaml")
	if err != nil {
		t.Fatal(err)
	}
	found := lint.Readers(page.Runbook, page.Position("consumers"), []string{"reports", "auth", "reports"})
	if len(found) != 1 || found[0].Consumer != "reports" || found[0].RuleID != "reader-not-on-page" || found[0].Line != 6 {
		t.Errorf("found %+v, want reports, once, at the consumers", found)
	}
}

func TestWriters(t *testing.T) {
	page, err := runbook.Load(fstest.MapFS{"p.yaml": {Data: []byte(strings.Replace(healthy, "lead: 16m", "lead: 5m", 1))}}, "p.yaml")
	if err != nil {
		t.Fatal(err)
	}
	found := lint.Runbook(page, today)
	var text, list, log bytes.Buffer
	if err := lint.WriteText(&text, found); err != nil {
		t.Fatal(err)
	}
	const want = "p.yaml:9:22: error: search: rollout.lead is 5m and must be at least 16m (learns 15m + refresh of auth 30s + propagation 30s) [G1]\n" +
		"    rollout.lead: at least 16m\n"
	if text.String() != want {
		t.Errorf("text is\n%swant\n%s", text.String(), want)
	}
	if err := lint.WriteJSON(&list, found); err != nil {
		t.Fatal(err)
	}
	var read []lint.Finding
	if err := json.Unmarshal(list.Bytes(), &read); err != nil || !slices.Equal(read, found) {
		t.Errorf("JSON reads as %+v, %v; want %+v", read, err, found)
	}
	for _, findings := range [][]lint.Finding{found, nil} {
		log.Reset()
		if err := lint.WriteSARIF(&log, findings, "v1"); err != nil {
			t.Fatal(err)
		}
		report, err := sarif.FromBytes(log.Bytes(), sarif.WithStrictValidation())
		if err != nil {
			t.Fatal(err)
		}
		if err := report.Validate(); err != nil {
			t.Errorf("SARIF of %d findings: %v", len(findings), err)
		}
		if got := len(report.Runs[0].Results); got != len(findings) {
			t.Errorf("SARIF has %d results, want %d", got, len(findings))
		}
	}
}

// TestOutlivesPage: what lives longer than its page says is found where the
// scenario says so.
func TestOutlivesPage(t *testing.T) {
	for _, tt := range []struct {
		name, scenario string
		path, needed   string // of its one finding; empty: there is none
	}{
		{"tokens as on the page", "extends: healthy.yaml\n", "", ""},
		{"tokens that live longer", "extends: healthy.yaml\nload: [{client: app, to: search, rate: 5/s, token: {life: 40m}}, {client: web, to: checkout, rate: 5/s, token: {}}]\n", "load[0].token.life", "40m"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fsys := fstest.MapFS{"own.yaml": {Data: []byte("apiVersion: rehearse/v1\nkind: Scenario\n" + tt.scenario)}}
			for _, name := range []string{"healthy.yaml", "runbook.yaml"} {
				text, err := fs.ReadFile(scenarios.FS, "jwt-signing-key/"+name)
				if err != nil {
					t.Fatal(err)
				}
				fsys[name] = &fstest.MapFile{Data: text}
			}
			loaded, err := scenario.Load(fsys, "own.yaml")
			if err != nil {
				t.Fatal(err)
			}
			found, err := lint.Scenario(loaded, today)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case tt.path == "" && len(found) > 0:
				t.Errorf("found %v, want nothing", found)
			case tt.path == "":
			case len(found) != 1 || found[0].RuleID != "outlives-page" || found[0].Path != tt.path || found[0].Needed != tt.needed || found[0].Line == 0:
				t.Errorf("found %+v, want one at %s that needs %s", found, tt.path, tt.needed)
			}
		})
	}
}

// searchOnPage is the line of the built-in page about search.
const searchOnPage = "  - {name: search,   roles: [validate], library: jwx}"

// lintOwn is what is found in a scenario beside a built-in one, on whose page search
// is another consumer.
func lintOwn(t *testing.T, search, text string) []lint.Finding {
	t.Helper()
	fsys := fstest.MapFS{"own.yaml": {Data: []byte("apiVersion: rehearse/v1\nkind: Scenario\n" + text)}}
	for _, name := range []string{"healthy.yaml", "runbook.yaml"} {
		text, err := fs.ReadFile(scenarios.FS, "jwt-signing-key/"+name)
		if err != nil {
			t.Fatal(err)
		}
		fsys[name] = &fstest.MapFile{Data: []byte(strings.Replace(string(text), searchOnPage, search, 1))}
	}
	loaded, err := scenario.Load(fsys, "own.yaml")
	if err != nil {
		t.Fatal(err)
	}
	found, err := lint.Scenario(loaded, today)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestAdviceForWhatTheScenarioRuns has a page whose lead is too short, and that is
// wrong about what search runs: what is advised is enough for that.
func TestAdviceForWhatTheScenarioRuns(t *testing.T) {
	const short = "extends: healthy.yaml\nspeed: 30\noverride: {rollout: {lead: 3m}}\n"
	for scenario, want := range map[string]string{
		short + "services: {search: {library: keyfunc}}\n": "rollout.lead: at least 6m15s",
		short + "services: {search: {library: jwx}}\n":     "rollout.lead: at least 16m15s",
	} {
		found := lintOwn(t, "  - {name: search, roles: [validate], learns_within: 5m, forgets_within: 15m}", scenario)
		i := slices.IndexFunc(found, func(f lint.Finding) bool { return f.RuleID == "G1" && f.Consumer == "search" })
		if i < 0 || found[i].Fix != want {
			t.Errorf("%s: got %+v, want a finding of G1 that says %q", scenario, found, want)
		}
	}
}

// TestWhatComesLaterThanThePageAllows: what is brought to a service late, or to one part of it after the other.
func TestWhatComesLaterThanThePageAllows(t *testing.T) {
	for name, want := range map[string]string{
		"api-key/rollout-in-batches":      "",
		"api-key/rollout-in-batches-slow": "the last of billing is rolled out 45m after the store has something new, and the page allows 20m for a publication",
		"api-key/file":                    "",
		"api-key/late-file":               "the file of billing follows the store 6m later, and the page allows 30s for a publication",
	} {
		loaded, err := scenario.Load(scenarios.FS, scenarios.File(name))
		if err != nil {
			t.Fatal(err)
		}
		found, err := lint.Scenario(loaded, today)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, f := range found {
			if f.RuleID == "slower-than-page" {
				got += f.Message
			}
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// TestServicesAgainstTheirPage: a library that is slower than the page says, and
// parties that cannot be seen or told apart, are found before anything runs.
func TestServicesAgainstTheirPage(t *testing.T) {
	const (
		page  = searchOnPage
		own   = `{command: [own], scale: full, environment: {URL: "{{ .auth.url }}/.well-known/jwks.json"}`
		calls = "load: [{client: web, to: checkout, rate: 5/s, token: {}}, {client: app, to: search, rate: 5/s, token: {}}]\n"
	)
	var apart []string
	if runtime.GOOS != "linux" { // which tells whose connection one is
		for _, name := range []string{"checkout", "search"} {
			apart = append(apart, "not-seen "+name+": checkout and search cannot be told apart: they are processes without names of their own")
		}
	}
	for _, tt := range []struct {
		name, consumer, scenario string
		want                     []string
	}{
		{"as the page names it", page, "extends: healthy.yaml\n", nil},
		{"slower than the page says", "  - {name: search, roles: [validate], learns_within: 16m, forgets_within: 5m}", "extends: healthy.yaml\nspeed: 30\nservices: {search: {library: jwx}}\n",
			[]string{"slower-than-page search: search runs jwx, which forgets within 15m, and the page says forgets_within: 5m"}},
		{"a validator that nobody calls", page, "extends: healthy.yaml\nload: [{client: web, to: checkout, rate: 5/s, token: {}}]\n",
			[]string{"not-seen search: no client of the load presents anything to search"}},
		{"two processes without a name", page, "runbook: runbook.yaml\nservices: {auth: {serve: issuer}, search: " + own + "}, checkout: " + own + "}}\n" + calls, apart},
		{"one of them with a name", page, "runbook: runbook.yaml\nservices: {auth: {serve: issuer}, search: " + own + ", agent: search}, checkout: " + own + "}}\n" + calls, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found := lintOwn(t, tt.consumer, tt.scenario)
			var got []string
			for _, f := range found {
				if f.RuleID == "slower-than-page" || f.RuleID == "not-seen" {
					got = append(got, f.RuleID+" "+f.Consumer+": "+f.Message)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
