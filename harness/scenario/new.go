package scenario

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// New is a scenario that rehearses a page as it stands, in YAML: each consumer of the
// page served by a stand-in of its family, the authority that is no consumer, and load
// at all of them. The page is named by where it lies from the scenario. It can be
// rehearsed as it is, and its services be replaced by a team's own one by one. Speed
// is what the durations of the page are divided by.
func New(page runbook.Runbook, file string, speed float64) ([]byte, error) {
	family, known := runbook.Traits[page.Scope.Family]
	if !known {
		return nil, fmt.Errorf("make a scenario: there is no family %q", page.Scope.Family)
	}
	n := newScenario{page: page, family: family}
	n.serve()
	var out bytes.Buffer
	fmt.Fprintf(&out, `# yaml-language-server: $schema=scenario.schema.json
# That file is written by: rehearse schema scenario > scenario.schema.json
apiVersion: rehearse/v1
kind: Scenario
description: the page as it is written, under load; nothing goes wrong
runbook: %s
speed: %-16v # what the page's durations are divided by: rehearse plan says how much is possible
gates: enforce          # a gate that does not hold stops the rotation; observe: it only says so
baseline: 3m            # page time, before anything is changed: what was there before is not the rotation's
services:               # stand-ins; one of your own says image, build or command in place of serve
%sload:                   # who calls, where, and how often
%s# faults:               # what goes wrong: rehearse faults
expect:
  verdict: pass
`, file, speed, aligned(n.services), aligned(n.load))
	return out.Bytes(), nil
}

// newScenario gathers the lines of services and of load, cells apart by tabs.
type newScenario struct {
	page           runbook.Runbook
	family         runbook.FamilyTraits
	services, load []string
}

// serve has each consumer served, by its role, and load for it.
func (n *newScenario) serve() {
	var emitters, validators []string
	for _, c := range n.page.Consumers {
		switch {
		case c.Has(runbook.Emits):
			emitters = append(emitters, c.Name)
		case c.Has(runbook.Validates):
			validators = append(validators, c.Name)
		}
	}
	of := ""
	if n.family.Authority {
		authority := n.free(n.checking())
		n.services = append(n.services, fmt.Sprintf("  %s:\t{serve: %s}", authority, n.checking()))
		of = ", of: " + authority
	}
	for _, name := range emitters {
		n.services = append(n.services, fmt.Sprintf("  %s:\t{serve: %s%s}", name, n.family.EmittedBy[0], of))
	}
	for _, name := range validators {
		n.services = append(n.services, fmt.Sprintf("  %s:\t{serve: %s%s", name, n.checking(), n.library(name)))
	}
	switch {
	case n.family.Authority:
		for _, name := range emitters {
			n.load = append(n.load, fmt.Sprintf("  - {client: %s,\tto: %s,\trate: 40/s, sessions: 20}", n.free("users-of-"+name), name))
		}
	case n.family.JudgedAt == history.FromLoad:
		for _, name := range validators {
			n.load = append(n.load, fmt.Sprintf("  - {client: %s,\tto: %s,\trate: 40/s, sessions: 20, token: {life: %s}}", n.free("users-of-"+name), name, n.page.Format.LongestLife))
		}
	default:
		for _, emitter := range emitters {
			for _, name := range validators {
				n.load = append(n.load, fmt.Sprintf("  - {client: %s,\tto: %s,\tendpoint: %s,\trate: 20/s}", n.free("events-for-"+name), emitter, name))
			}
		}
	}
}

// library closes what a validator is served as, with the library that a stand-in
// checks with where the page names none that it can: the slowest of those that learn
// and forget within what the page says.
func (n *newScenario) library(name string) string {
	if n.family.JudgedAt != history.FromLoad || n.family.Symmetric() { // they check with the secret itself
		return "}"
	}
	var c runbook.Consumer
	for _, other := range n.page.Consumers {
		if other.Name == name {
			c = other
		}
	}
	named := runbook.Libraries[c.Library]
	if named.Served {
		return "}"
	}
	learns, forgets := named.Learns, named.Forgets
	if c.LearnsWithin != nil {
		learns = c.LearnsWithin.Duration()
	}
	if c.ForgetsWithin != nil {
		forgets = c.ForgetsWithin.Duration()
	}
	best := runbook.Library{Name: "keyfunc"}
	for _, key := range slices.Sorted(maps.Keys(runbook.Libraries)) {
		l := runbook.Libraries[key]
		if l.Served && l.Keys == 0 && l.Learns <= learns && l.Forgets <= forgets && l.Learns >= best.Learns {
			best = l
		}
	}
	return fmt.Sprintf(", library: %s}\t# a stand-in: the page does not say one that it can check with", best.Name)
}

// checking is the kind of stand-in that checks credentials of the page's type.
func (n *newScenario) checking() string {
	for _, kind := range n.family.CheckedBy {
		if strings.HasPrefix(n.page.Format.Type, kind) { // postgresql by postgres
			return kind
		}
	}
	return n.family.CheckedBy[0]
}

// free is a name that no consumer has.
func (n *newScenario) free(name string) string {
	taken := func(name string) bool {
		return slices.ContainsFunc(n.page.Consumers, func(c runbook.Consumer) bool { return c.Name == name })
	}
	wanted := name
	for i := 2; taken(name); i++ {
		name = fmt.Sprintf("%s-%d", wanted, i)
	}
	return name
}

// aligned has the cells of lines below each other.
func aligned(lines []string) string {
	var out strings.Builder
	t := tabwriter.NewWriter(&out, 0, 0, 1, ' ', 0)
	for _, line := range lines {
		_, _ = fmt.Fprintln(t, line) // a Builder takes everything
	}
	_ = t.Flush()
	return out.String()
}
