package plan

import (
	"fmt"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// Term is one figure of a bound, in page time.
type Term struct {
	What string
	Time time.Duration
	// Seen says that the run measured it, and that it is longer than the page says.
	Seen bool
}

// Bound is one of the three rules that every plan is held against, for one
// validator or (G2) for all.
type Bound struct {
	Rule      string // G1, G2, G3
	Validator string // empty for G2
	// Field is the one of the page that the rule bounds from below.
	Field string
	Terms []Term // those that are not zero
	// Needed is the sum of the terms and the smallest value of Field that
	// holds; runbook.Forever: none does. Planned is what the page says.
	Needed, Planned time.Duration
	Held            bool

	// Of BoundsSeen only: Party is the one to look at where the bound does not hold, empty where the
	// page alone is at fault. Seen lists what the run saw and the page does not say, a sentence each.
	Party string
	Seen  []string

	// Open says that a figure in it was still growing at that moment: what was waited for did not
	// happen, and no time is known to be enough.
	Open bool
	// Once says that a figure in it was seen once only: the next time it may be longer.
	Once bool
	// Least says that the revoke cut a figure in it short, or may have: more is needed, and nobody
	// knows how much.
	Least bool
	// Maybe says that a figure in it may mean something else, which the page allows: by what was seen it
	// cannot be told whether the bound holds.
	Maybe bool

	// Chance says that it holds by what was seen, and would not with the longest pause of a party that draws its pauses
	// by chance. Maybe is then set too.
	Chance bool

	// Might is what may take longer than anything that was seen, a sentence each: the bound that holds without it does not
	// with it. Copies says that it is the copies that a cache serves, of which nobody sees how old they are.
	Might  []string
	Copies bool

	chance, copies bool          // what more is for
	more           time.Duration // by how much what may come exceeds what was seen
	room           time.Duration // precision of what was seen
	most           time.Duration // by how much the worst figure exceeds the page
}

// Enough is the value that its field needs where the bound does not hold.
func (b Bound) Enough() string {
	if b.Least {
		return "more than " + Text(b.Needed)
	}
	return "at least " + Text(b.Needed)
}

// String says whether a bound holds, and why, in one line.
func (b Bound) String() string {
	who := b.Rule
	if b.Validator != "" {
		who += " " + b.Validator
	}
	of := b.sum()
	switch {
	case b.Held:
		return fmt.Sprintf("%s: %s is %s, needs %s (%s)", who, b.Field, Text(b.Planned), Text(b.Needed), of)
	case b.Needed == runbook.Forever:
		return fmt.Sprintf("%s: %s is %s, and no time is enough (%s)", who, b.Field, Text(b.Planned), of)
	}
	return fmt.Sprintf("%s: %s is %s and must be at least %s (%s)", who, b.Field, Text(b.Planned), Text(b.Needed), of)
}

// sum writes the terms of a bound.
func (b Bound) sum() string {
	if len(b.Terms) == 0 {
		return "nothing to wait for"
	}
	terms := make([]string, len(b.Terms))
	for i, t := range b.Terms {
		terms[i] = t.What + " " + Text(t.Time)
		if t.Time == runbook.Forever {
			terms[i] = "never " + t.What + " by itself"
		}
	}
	return strings.Join(terms, " + ")
}

// Bounds are G1 of every validator, G2, and G3 of every validator, in page time. A plan whose bounds do
// not hold can still be run.
func (l Limits) Bounds() []Bound {
	var bounds []Bound
	for _, v := range l.Validators {
		bounds = append(bounds, bound("G1", v.Name, "rollout.lead", l.Lead, append([]Term{{What: "learns", Time: v.Learns}}, l.way(v)...)))
	}
	bounds = append(bounds, bound("G2", "", "overlap.window", l.Window,
		[]Term{{What: "longest life", Time: l.LongestLife}, {What: l.propagation(), Time: l.Propagation}}))
	for _, v := range l.Validators {
		bounds = append(bounds, bound("G3", v.Name, "rollout.watch", l.Watch, append([]Term{{What: "forgets", Time: v.Forgets}}, l.way(v)...)))
	}
	return bounds
}

// way lists what delays a change between the store and a validator.
func (l Limits) way(v Validator) []Term {
	return []Term{
		{What: "cache " + v.Via, Time: v.Shared}, {What: "refresh of " + v.From, Time: l.Publishing(v)},
		{What: l.propagation(), Time: l.Propagation},
	}
}

// propagation names the term of the propagation time.
func (l Limits) propagation() string {
	if l.PropagatedBy == "" {
		return "propagation"
	}
	return "propagation by " + l.PropagatedBy
}

func bound(rule, validator, field string, planned time.Duration, terms []Term) Bound {
	b := Bound{Rule: rule, Validator: validator, Field: field, Planned: planned}
	for _, t := range terms {
		if t.Time != 0 {
			b.Terms = append(b.Terms, t)
			b.Needed = add(b.Needed, t.Time)
		}
	}
	b.Held = b.Planned >= b.Needed
	return b
}

// Switching is the longest that the emitters may take to switch, in page time:
// the slowest one's refresh and the propagation.
func (l Limits) Switching() time.Duration {
	var refresh time.Duration
	for _, e := range l.Emitters {
		refresh = max(refresh, e.Refresh)
	}
	return add(refresh, l.Propagation)
}
