package rules_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/rules"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// TestProperties holds the judge against what must be so for any history, on
// rehearsals that differ in what they end with.
func TestProperties(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		scenarios.Default, "jwt-signing-key/stale-cache", "jwt-signing-key/shared-cache", "jwt-signing-key/single-key",
		"jwt-signing-key/short-overlap-gated", "jwt-signing-key/missed-signer", "jwt-signing-key/crashed-consumer", "api-key/missed-consumer",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rehearse(t, name, simulated.Options{Seed: 7})
			file := lines(t, r.history)
			t.Run("twice is the same", func(t *testing.T) {
				wantSame(t, "verdict", encode(t, rules.Judge(r.history, r.limits)), encode(t, r.verdict))
			})
			t.Run("a saved run is judged the same", func(t *testing.T) {
				wantSame(t, "verdict", encode(t, rules.Judge(read(t, file))), encode(t, r.verdict))
			})
			t.Run("judging changes nothing", func(t *testing.T) {
				limits := encode(t, r.limits)
				rules.Judge(r.history, r.limits)
				wantSame(t, "history", string(lines(t, r.history)), string(file))
				wantSame(t, "limits", encode(t, r.limits), limits)
			})
			t.Run("names do not matter", func(t *testing.T) { r.wantNamesIgnored(t, file) })
			t.Run("the verdict is whole", r.wantWhole)
		})
	}
}

// encode is anything as JSON.
func encode(t testing.TB, v any) string {
	t.Helper()
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	return string(data)
}

// wantSame checks that two verdicts are the same, and shows where they part.
func wantSame(t *testing.T, what, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Errorf("%s: line %d: got %s, want %s", what, i+1, a[i], b[i])
			return
		}
	}
	t.Errorf("%s: got %d lines, want %d", what, len(a), len(b))
}

// lines is a history as a run's folder has it.
func lines(t testing.TB, h *history.History) []byte {
	t.Helper()
	var file bytes.Buffer
	recorder := history.NewRecorder(time.Now(), &file)
	for _, e := range h.Events {
		recorder.Record(e)
	}
	if _, err := recorder.Close(time.Second); err != nil {
		t.Fatalf("close recorder: %v", err)
	}
	return file.Bytes()
}

// read is a history and its limits as a later judge finds them.
func read(t testing.TB, file []byte) (*history.History, plan.Limits) {
	t.Helper()
	h, err := history.Read(bytes.NewReader(file))
	if err != nil {
		t.Fatalf("read history: %v", err)
	}
	limits, err := rules.Limits(h)
	if err != nil {
		t.Fatalf("read limits: %v", err)
	}
	return h, limits
}

// wantNamesIgnored gives every party other names, twice: the verdicts must be
// the same but for them, or something was judged by what it is called. They
// keep the order of the old ones, in which findings are told.
func (r *rehearsal) wantNamesIgnored(t *testing.T, file []byte) {
	t.Helper()
	const one, two = "Q1_", "Q2_"
	first := rules.Judge(read(t, renamed(file, r.limits, one)))
	second := rules.Judge(read(t, renamed(file, r.limits, two)))
	wantSame(t, "verdict", encode(t, second), strings.ReplaceAll(encode(t, first), one, two))
	wantSame(t, "outline", outline(first), outline(r.verdict))
	if len(first.Validators) == 0 || !strings.HasPrefix(first.Validators[0].Name, one) {
		t.Errorf("validators: got %+v, want them with other names", first.Validators)
	}
}

// outline is what a verdict says without a name.
func outline(v judge.Verdict) string {
	s := fmt.Sprintln(v.Verdict, v.AuthFailures)
	for _, rule := range v.Rules {
		s += fmt.Sprintln(rule.ID, rule.Outcome)
	}
	for _, f := range v.Findings {
		s += fmt.Sprintln(f.RuleID, f.Level, f.Cause, f.CausedBy, f.FirstMS, f.LastMS, f.Count)
	}
	return s
}

// renamed is a history in which every party's name has a prefix.
func renamed(file []byte, l plan.Limits, prefix string) []byte {
	var names []string
	for _, v := range l.Validators {
		names = append(names, v.Name)
	}
	for _, e := range l.Emitters {
		names = append(names, e.Name)
	}
	for _, c := range l.Clients {
		names = append(names, c.Name)
	}
	for _, c := range l.Caches {
		names = append(names, c.Name)
	}
	var pairs []string
	for _, name := range names {
		pairs = append(pairs, `"`+name+`"`, `"`+prefix+name+`"`)
	}
	return []byte(strings.NewReplacer(pairs...).Replace(string(file)))
}

// wantWhole checks that a verdict leaves nothing out that a reader needs, and
// says nothing that the judge never sees.
func (r *rehearsal) wantWhole(t *testing.T) {
	if r.verdict.Why == "" {
		t.Error("why: got nothing, want a sentence")
	}
	for _, f := range r.verdict.Findings {
		if f.RuleID == "" || f.Message == "" || f.Fix == "" || f.Consumer == "" && f.RuleID != "rollback" {
			t.Errorf("finding: got %s, want a rule, a message, a fix and a consumer", text(f))
		}
		if f.FirstMS < 0 || f.LastMS < f.FirstMS || f.Count <= 0 {
			t.Errorf("finding: got %s, want figures that can be", text(f))
		}
	}
	for _, unseen := range []string{r.loaded.Name, r.loaded.Scenario.Description} {
		if strings.Contains(encode(t, r.verdict), unseen) {
			t.Errorf("verdict: got one that says %q, which the judge never sees", unseen)
		}
	}
}
