package junittest

import (
	"strings"
	"testing"
)

// valid is the least that both schemas take, with one of each outcome.
const valid = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="a" timestamp="2026-11-23T02:00:00" hostname="localhost" tests="4" failures="1" errors="1" skipped="1" time="1.5" id="0" package="p">
    <properties><property name="seed" value="1"></property></properties>
    <testcase name="passed" classname="a" time="0"></testcase>
    <testcase name="skipped" classname="a" time="0"><skipped message="nothing to hold"></skipped></testcase>
    <testcase name="inconclusive" classname="a" time="0"><error message="m" type="inconclusive"></error></testcase>
    <testcase name="failed" classname="a" time="0"><failure message="m" type="fail">text</failure></testcase>
    <system-out>out</system-out>
    <system-err></system-err>
  </testsuite>
</testsuites>
`

func TestValid(t *testing.T) { Validate(t, []byte(valid)) }

// TestProblems shows that the schemas turn red at what CI systems refuse.
func TestProblems(t *testing.T) {
	tests := []struct{ name, schema, from, to, want string }{
		{"a zone in the timestamp", "ant.xsd", "02:00:00\"", "02:00:00Z\"", "timestamp"},
		{"no host", "ant.xsd", ` hostname="localhost"`, "", "hostname"},
		{"a total on the root", "ant.xsd", "<testsuites>", `<testsuites tests="4">`, "tests"},
		{"output before the cases", "ant.xsd", "<testcase name=\"passed\"", "<system-out></system-out><testcase name=\"passed\"", "testcase"},
		{"two outcomes of one case", "ant.xsd", "</failure>", `</failure><skipped></skipped>`, "skipped"},
		{"no property", "jenkins.xsd", `<property name="seed" value="1"></property>`, "", "properties"},
		{"an unknown element", "jenkins.xsd", "<skipped message", "<inconclusive></inconclusive><skipped message", "inconclusive"},
		{"no name of a case", "jenkins.xsd", ` name="passed"`, "", "name"},
		{"no XML", "jenkins.xsd", "</testsuites>", "", "parser error"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(valid, test.from, test.to, 1)
			if text == valid {
				t.Fatal("nothing was changed")
			}
			if got := Problems(t, test.schema, []byte(text)); !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q in it", got, test.want)
			}
		})
	}
}
