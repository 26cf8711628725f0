package reports

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// table is one table of a report, the same in every format. A table without
// rows is its note alone.
type table struct {
	Title string
	Note  string
	Head  []column
	Rows  [][]string
}

// column is the head of a column; the first of a table names its rows.
type column struct {
	Name   string
	Figure bool // set to the right
	State  bool // its cells say whether something is well
}

func words(name string) column  { return column{Name: name} }
func figure(name string) column { return column{Name: name, Figure: true} }
func state(name string) column  { return column{Name: name, State: true} }

// tables are the tables of every report after the comparisons and charts, in order. A table with
// nothing to show is left out.
func tables(m *Model) []table {
	ts := []table{gates(m), revocation(m), validators(m)}
	if t, are := pods(m); are {
		ts = append(ts, t)
	}
	ts = append(ts, budget(m))
	if len(m.Faults) > 0 {
		ts = append(ts, faults(m))
	}
	if m.Rollback.Happened {
		ts = append(ts, rollback(m), wayBack(m))
	}
	if len(m.Operator) > 0 {
		ts = append(ts, operator(m))
	}
	ts = append(ts, page(m), ruleOutcomes(m), totals(m))
	if len(m.Ledger) > 0 {
		ts = append(ts, ledger(m))
	}
	return ts
}

// cells shows every cell in every phase.
func cells(m *Model) table {
	t := table{
		Title: "Every client, service and phase",
		Head: []column{words("Client → service"), words("Phase"), figure("Attempts"), figure("Auth failures"), figure("Unavailable"),
			figure("Retries"), words("Answers"), words("Credentials"), figure("p50"), figure("p99")},
	}
	for _, c := range m.Cells {
		t.Rows = append(t.Rows, []string{pairOf(c).String(), string(c.Phase), Count(c.Attempts), Count(c.AuthFailures), Count(c.Unavailable),
			Count(c.Retries), tally(c.Statuses), shares(c.Credentials), latency(c.P50MS), latency(c.P99MS)})
	}
	if len(t.Rows) == 0 {
		t.Note = "No attempts were counted."
	}
	return t
}

// perPhase is the chart in figures.
func perPhase(m *Model) table {
	t := table{
		Title: "Phases",
		Note:  momentsNote(m),
		Head: []column{words("Phase"), figure("Began at"), figure("Lasted"), figure("Attempts"), figure("Auth failures"),
			figure("of attempts"), words("Share of each credential")},
	}
	for _, p := range m.Phases {
		var attempts, failures int64
		credentials := map[string]judge.CredentialCounts{}
		for _, c := range m.Cells {
			if c.Phase != p.Name || !m.judged(c) {
				continue
			}
			attempts += c.Attempts
			failures += c.AuthFailures
			for name, n := range c.Credentials {
				sum := credentials[name]
				sum.Attempts += n.Attempts
				credentials[name] = sum
			}
		}
		t.Rows = append(t.Rows, []string{string(p.Name), m.moment(p.StartMS), m.time(p.EndMS - p.StartMS),
			Count(attempts), Count(failures), Share(failures, attempts), shares(credentials)})
	}
	return t
}

func ruleOutcomes(m *Model) table {
	t := table{Title: "Rules", Head: []column{words("Rule"), state("Outcome"), words("Because")}}
	for _, r := range m.Rules {
		t.Rows = append(t.Rows, []string{r.ID, string(r.Outcome), dash(r.Detail)})
	}
	if len(t.Rows) == 0 {
		t.Note = "No rule was held against this run."
	}
	return t
}

func gates(m *Model) table {
	t := table{Title: "Gates", Head: []column{words("Gate after"), state("Held"), words("Mode"), words("Because"), words("Look at")}}
	for _, g := range m.Gates {
		t.Rows = append(t.Rows, []string{string(g.Phase), yesNo(g.Held), g.Mode, dash(g.Detail), dash(g.Consumer)})
	}
	if len(t.Rows) == 0 {
		t.Note = "No gate was evaluated."
	}
	return t
}

func validators(m *Model) table {
	t := table{
		Title: "How long validators took",
		Note:  "Learned: after the new credential was accepted (by one that fetches when it meets an unknown one: after it was first shown it), against G1. Forgot: after the old one was revoked, against G3. " + timesNote(m),
		Head: []column{words("Validator"), words("On the page"), figure("Learned after"), figure("Bound"), state("Learned in time"),
			figure("Forgot after"), figure("Bound"), state("Forgot in time")},
	}
	for _, v := range m.Validators {
		learned, learnedInTime := m.against(v.LearnedAfterMS, v.BoundMS, history.Accept, history.Emit)
		forgot, forgotInTime := m.against(v.ForgotAfterMS, v.ForgetBoundMS, history.Revoke, history.Watch)
		t.Rows = append(t.Rows, []string{v.Name, yesNo(v.OnPage),
			learned, m.bound(v.BoundMS), learnedInTime, forgot, m.bound(v.ForgetBoundMS), forgotInTime})
	}
	var turned []string
	for _, v := range m.Validators {
		if v.TurnedAway > 0 {
			turned = append(turned, fmt.Sprintf("%s %s", v.Name, Count(v.TurnedAway)))
		}
	}
	if len(turned) > 0 {
		t.Note += " Requests for the key set that were answered 429: " + strings.Join(turned, ", ") + "."
	}
	if len(t.Rows) == 0 {
		t.Note = "No validator was seen."
	}
	return t
}

// pods is how the new credential came to each pod of a cluster; ok is false where
// there is none.
func pods(m *Model) (t table, ok bool) {
	t = table{
		Title: "Pods",
		Note: "File seen: from the write to the API server until the kubelet had brought the changed Secret, as seen from outside once a second. " +
			"Taken by: the first time that the pod is known to have taken the new credential; it is asked at the end of the lead, and may have taken it before. " + timesNote(m),
		Head: []column{words("Service"), words("Pod"), figure("There from"), figure("Until"), figure("File seen after"), figure("Taken by"), figure("New one refused"), figure("Old one refused after")},
	}
	or := func(ms int64, otherwise string) string {
		if ms < 0 {
			return otherwise
		}
		return m.time(ms)
	}
	for _, p := range m.Pods {
		seen := "not looked for"
		if p.SeenWhy != "" {
			seen = p.SeenWhy
		}
		t.Rows = append(t.Rows, []string{p.Service, p.Pod, m.time(p.CameMS), or(p.WentMS, "the end"), or(p.SawAfterMS, seen), or(p.TookAfterMS, "–"), Count(p.RefusedNew), or(p.ForgotAfterMS, "–")})
	}
	return t, len(t.Rows) > 0
}

// against says how long something took, counted from a phase, and whether that was within its bound. It
// may not have been due in a run that ended early, or never reached a later phase: then it is neither.
func (m *Model) against(tookMS, boundMS int64, since, by history.Phase) (took, inTime string) {
	switch {
	case tookMS < 0 && boundMS >= 0 && !m.Rollback.Happened && m.reached(by) && m.ended()-m.began(since) > history.Milliseconds(boundMS):
		return "never", "no"
	case tookMS < 0:
		return "not in this run", "–"
	case boundMS < 0 || tookMS <= boundMS:
		return m.time(tookMS), "yes"
	}
	return m.time(tookMS), "no"
}

func (m *Model) bound(ms int64) string {
	if ms < 0 {
		return "no bound"
	}
	return m.time(ms)
}

func faults(m *Model) table {
	t := table{
		Title: "Faults",
		Note:  "Evidence is measured by another party than the one that injects. " + momentsNote(m),
		Head:  []column{words("Fault"), words("Target"), figure("Injected at"), figure("Undone at"), state("Took effect"), words("Evidence")},
	}
	for _, f := range m.Faults {
		undone := "not undone"
		if f.UndoneMS > 0 {
			undone = m.moment(f.UndoneMS)
		}
		evidence := Evidence(f.Evidence)
		if f.Detail != "" {
			evidence = strings.TrimPrefix(evidence+"; "+f.Detail, "; ")
		}
		kind := f.Kind
		if f.By != "" {
			kind += ", by the " + f.By
		}
		t.Rows = append(t.Rows, []string{kind, f.Target, m.moment(f.InjectedMS), undone, yesNo(f.Took), dash(evidence)})
	}
	return t
}

// rollback is the way back, one figure a row.
func rollback(m *Model) table {
	r := m.Rollback
	t := table{Title: "Rollback", Note: momentsNote(m), Head: []column{words("The way back"), state("In this run")}}
	row := func(name, value string) { t.Rows = append(t.Rows, []string{name, dash(value)}) }
	done := "not done"
	if r.DoneMS > 0 {
		done = m.moment(r.DoneMS)
	}
	row("taken in", r.From)
	row("because", r.Why)
	row("asked for", told(r.AskedFor))
	row("decided at", m.moment(r.DecidedMS))
	row("from the first sign to the decision", plan.Text(time.Duration(r.DecisionMS)*time.Millisecond)+" of wall time")
	row("failures flat again", flatAgain(r))
	row("done at", done)
	row("authority and store agree", agreement(r))
	if len(r.StillTaken) > 0 {
		row("still take what was withdrawn", strings.Join(r.StillTaken, ", "))
	}
	row("proven", yesNo(r.Proven))
	return t
}

// flatAgain is how long after the decision the last refusal came.
func flatAgain(r judge.RollbackReport) string {
	switch {
	case r.FlatMS < 0:
		return "not before the end"
	case r.FlatMS == 0:
		return "at once: nothing was refused any more"
	}
	return plan.Text(time.Duration(r.FlatMS)*time.Millisecond) + " of wall time after the decision"
}

// agreement is whether authority and store agreed, and where they did not.
func agreement(r judge.RollbackReport) string {
	if len(r.Differences) > 0 {
		return "no: " + strings.Join(r.Differences, "; ")
	}
	return cmp.Or(r.Agreement, judge.NotCompared)
}

// told words a fact that is neither good nor bad.
func told(b bool) string {
	if b {
		return "it was"
	}
	return "it was not"
}

func totals(m *Model) table {
	n := m.Totals
	t := table{
		Title: "Totals",
		Note:  "Four counters by four parties; sent = scheduled − held back + retries + probes.",
		Head:  []column{words("Counted"), figure("Number")},
		Rows: [][]string{
			{"scheduled by the pacer", Count(n.Scheduled)},
			{"sent by the transport", Count(n.Sent)},
			{"recorded and judged", Count(n.Recorded)},
			{"served by the validators", Count(n.Served)},
			{"held back, without a valid token", Count(n.NotSent)},
			{"retries", Count(n.Retried)},
			{"probes", Count(n.Probes)},
			{"unanswered", Count(n.Unanswered)},
			{"auth failures of first attempts", Count(n.AuthFailures)},
			{"secret values found in outputs", Count(m.Leaks.Hits)},
			{"bytes searched for them", Count(m.Leaks.Searched)},
		},
	}
	if !n.Complete {
		t.Note += " Not every validator's own counter could be read."
	}
	if len(m.Leaks.Where) > 0 {
		t.Note += " Secret values were found in " + strings.Join(m.Leaks.Where, ", ") + "."
	}
	return t
}

func ledger(m *Model) table {
	t := table{Title: "Ledger", Head: []column{words("Entry"), figure("Number")}}
	for _, name := range slices.Sorted(maps.Keys(m.Ledger)) {
		t.Rows = append(t.Rows, []string{name, Count(m.Ledger[name])})
	}
	return t
}

// operator is what people did at the controls.
func operator(m *Model) table {
	t := table{
		Title: "What the operator did",
		Note:  momentsNote(m),
		Head:  []column{words("At"), words("In phase"), words("Did")},
	}
	for _, a := range m.Operator {
		t.Rows = append(t.Rows, []string{m.moment(a.AtMS), dash(string(a.Phase)), dash(a.Did)})
	}
	return t
}

// timesNote says how lengths of time are told.
func timesNote(m *Model) string {
	if m.Speed <= 0 || m.Speed == 1 {
		return "Times are wall time."
	}
	return "Times are page time, with wall time in brackets."
}

// momentsNote says how moments are told.
func momentsNote(m *Model) string {
	if m.Speed <= 0 || m.Speed == 1 {
		return "Moments are wall time since the start of the run."
	}
	return "Moments are page time since the baseline began, with wall time since the start of the run in brackets."
}
