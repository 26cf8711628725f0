package reports

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plaintext"
)

// Suite is one scenario in a JUnit file.
type Suite struct {
	Name    string
	Started time.Time
	Took    time.Duration // wall time
	Cases   []Case
	// Properties say what was run; there is at least one in the file.
	Properties []Property
	Output     string // of the whole suite, in plain text
}

// Case is one rule, or another part of a suite, in a JUnit file.
type Case struct {
	Name    string
	Outcome judge.Outcome // or CouldNotRun
	Type    string        // of the failure; default is the outcome
	Message string        // why it did not pass
	Text    string        // the long form
}

// CouldNotRun is the outcome of a case without a run.
const CouldNotRun judge.Outcome = "could not run"

// Property is a figure of a suite with its name.
type Property struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

// SuiteOf is one run with a case for each rule.
func SuiteOf(m *Model) Suite {
	s := suite(m)
	for _, r := range m.Rules {
		c := Case{Name: r.ID, Outcome: r.Outcome, Message: r.Detail}
		for _, f := range ByWeight(m.Findings) {
			if f.RuleID == r.ID {
				c.Type = cmp.Or(c.Type, string(f.Cause))
				c.Text += findingText(m, f)
			}
		}
		s.Cases = append(s.Cases, c)
	}
	return s
}

// SuiteOfExpectation is one run with an expected result, including the rules that it was expected to
// break. Its first case passes where nothing differs; a case for each rule follows. A known-bad
// scenario that failed as expected is green here, and its findings are in the output.
func SuiteOfExpectation(m *Model, differences []string, broken ...string) Suite {
	s := suite(m)
	first := Case{Name: "as expected", Outcome: judge.Pass, Type: "unexpected"}
	if len(differences) > 0 {
		first.Outcome = judge.Fail
		if m.Verdict.Verdict == judge.Inconclusive {
			first.Outcome = judge.Inconclusive
		}
		first.Message = differences[0]
		first.Text = strings.Join(differences, "\n")
	}
	rules := SuiteOf(m).Cases
	for i, c := range rules {
		switch {
		case c.Outcome == judge.Fail && (len(differences) == 0 || slices.Contains(broken, c.Name)):
			rules[i] = Case{Name: c.Name, Outcome: judge.Pass}
		case c.Outcome == judge.Inconclusive && len(differences) == 0:
			rules[i] = Case{Name: c.Name, Outcome: judge.Skipped, Message: "cannot be told in this run, and is not expected to be: " + dash(c.Message)}
		}
	}
	s.Cases = append([]Case{first}, rules...)
	return s
}

func suite(m *Model) Suite {
	s := Suite{
		Name: m.Scenario, Started: m.StartedAt, Took: m.ended().Duration(),
		Output: Headline(m.Verdict) + "\n" + m.Why + "\n",
	}
	for _, p := range []Property{
		{"verdict", string(m.Verdict.Verdict)}, {"auth_failures", string(m.AuthFailures)},
		{"runtime", m.Runtime}, {"store", m.Store}, {"speed", fmt.Sprintf("%g", m.Speed)}, {"seed", fmt.Sprint(m.Seed)},
		{"scenario_digest", m.ScenarioDigest}, {"runbook_digest", m.RunbookDigest}, {"tool_version", m.ToolVersion},
	} {
		if p.Value != "" {
			s.Properties = append(s.Properties, p)
		}
	}
	for _, f := range ByWeight(m.Findings) {
		s.Output += findingText(m, f)
	}
	return s
}

// findingText is a finding in plain lines.
func findingText(m *Model, f judge.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s %s: %s\n", f.Level, f.RuleID, f.Message)
	for _, fact := range Facts(f, m.clock()) {
		fmt.Fprintf(&b, "  %s: %s\n", fact.Name, fact.Value)
	}
	if f.Fix != "" {
		fmt.Fprintf(&b, "  fix: %s\n", f.Fix)
	}
	return b.String()
}

// The elements and attributes that both the Ant schema (windyroad/JUnit-Schema,
// JUnit.xsd) and those of Jenkins (junit-4.xsd, junit-10.xsd) allow, in the
// order of the strictest: see package junittest.
type (
	junitFile struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Timestamp  string          `xml:"timestamp,attr"` // UTC; the schema allows no zone
		Hostname   string          `xml:"hostname,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"` // seconds
		ID         int             `xml:"id,attr"`
		Package    string          `xml:"package,attr"`
		Properties junitProperties `xml:"properties"`
		Cases      []junitCase     `xml:"testcase"`
		SystemOut  string          `xml:"system-out"`
		SystemErr  string          `xml:"system-err"`
	}
	junitProperties struct {
		Properties []Property `xml:"property"`
	}
	junitCase struct {
		Name      string        `xml:"name,attr"`
		Classname string        `xml:"classname,attr"`
		Time      string        `xml:"time,attr"`
		Skipped   *junitSkipped `xml:"skipped"`
		Error     *junitProblem `xml:"error"`
		Failure   *junitProblem `xml:"failure"`
	}
	junitSkipped struct {
		Message string `xml:"message,attr,omitempty"`
	}
	junitProblem struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes suites as one JUnit file. A broken rule is a failure. An inconclusive rule, or a
// run that could not happen, is an error of that type: neither green nor a broken rule. A rule that did
// not apply is skipped. Cases have no durations: rules are judged over the whole run.
func WriteJUnit(w io.Writer, suites []Suite) error {
	var file junitFile
	for i, s := range suites {
		file.Suites = append(file.Suites, junit(i, s))
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write junit: %w", err)
	}
	e := xml.NewEncoder(plaintext.Writer(w)) // the encoder escapes markup, but not formatting characters
	e.Indent("", "  ")
	if err := e.Encode(file); err != nil {
		return fmt.Errorf("write junit: %w", err)
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return fmt.Errorf("write junit: %w", err)
	}
	return nil
}

func junit(id int, s Suite) junitSuite {
	out := junitSuite{
		Name:      cmp.Or(s.Name, "rehearse"),
		Timestamp: s.Started.UTC().Format("2006-01-02T15:04:05"),
		Hostname:  "localhost",
		Tests:     len(s.Cases),
		Time:      fmt.Sprintf("%.3f", s.Took.Seconds()),
		ID:        id,
		Package:   "rehearse",
		SystemOut: s.Output,
	}
	out.Properties.Properties = s.Properties
	if len(s.Properties) == 0 { // Jenkins wants one, and the Ant schema wants their element
		out.Properties.Properties = []Property{{"tool", "rehearse"}}
	}
	for _, c := range s.Cases {
		// Jenkins takes the part before the last dot for a package; here the scenario's folder groups
		// it.
		jc := junitCase{Name: c.Name, Classname: strings.ReplaceAll(out.Name, "/", "."), Time: "0"}
		switch c.Outcome {
		case judge.Pass:
		case judge.Fail:
			out.Failures++
			jc.Failure = &junitProblem{Message: c.Message, Type: cmp.Or(c.Type, string(judge.Fail)), Text: c.Text}
		case judge.Skipped:
			out.Skipped++
			jc.Skipped = &junitSkipped{Message: c.Message}
		case CouldNotRun:
			out.Errors++
			jc.Error = &junitProblem{Message: c.Message, Type: string(CouldNotRun), Text: c.Text}
		default:
			out.Errors++
			jc.Error = &junitProblem{Message: c.Message, Type: string(judge.Inconclusive), Text: c.Text}
		}
		out.Cases = append(out.Cases, jc)
	}
	return out
}

func writeJUnit(w io.Writer, m *Model) error { return WriteJUnit(w, []Suite{SuiteOf(m)}) }
