// Package accuracy holds verdicts against the truth. It draws rehearsals at
// random on both sides of the bounds, says of each from the bounds alone what
// must come out, and counts where the harness says so too. Nothing here asks
// the code that is under test: the figures of libraries and the arithmetic of
// the bounds are written down once more.
//
//	seed ─► Draw ─► page, scenario, world ─► rehearsal ─► verdict ─┐
//	          └───► truth ─────────────────────────────────────────┴─► Score ─► Table
//
// A draw near a bound where luck decides (which moment of a poll, which
// session) is not made: what is drawn has one right answer, or the chance that
// another one is right is below one in a million.
package accuracy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// The verdicts, as result.json has them.
const (
	Pass         = "pass"
	Fail         = "fail"
	Inconclusive = "inconclusive"
)

// Truth is what must come out of a rehearsal.
type Truth struct {
	Verdict string
	// Named are groups of parties: findings that fail the run name at least one
	// of each group.
	Named [][]string
	// May are parties that such findings may name besides: what hits them hits
	// them for the same cause, and whether it does so is luck.
	May []string
}

// Case is one rehearsal with its truth.
type Case struct {
	Seed      int64
	Situation string
	// Page and Scenario are the two files.
	Page, Scenario string
	// World is how a simulated world differs from what the scenario sets up; a
	// real one has only what the scenario says.
	World simulated.Options
	Truth Truth
}

// Said is what a harness said of a case: its verdict, and the parties that
// findings of level error name.
type Said struct {
	Verdict string   `json:"verdict"`
	Named   []string `json:"named"`
	Why     string   `json:"why"`
}

// Score is what is wrong with what was said, in words; none: it is right.
type Score struct {
	Verdict  string   // the wrong verdict
	Missed   []string // groups of which nobody was named
	Wrongful []string // who was named for nothing
}

// Right reports whether nothing is wrong.
func (s Score) Right() bool { return s.Verdict == "" && len(s.Missed) == 0 && len(s.Wrongful) == 0 }

// Score holds what was said against the truth.
func (t Truth) Score(said Said) Score {
	var s Score
	if said.Verdict != t.Verdict {
		s.Verdict = fmt.Sprintf("%s, want %s", said.Verdict, t.Verdict)
	}
	allowed := slices.Clone(t.May)
	for _, group := range t.Named {
		allowed = append(allowed, group...)
		if !slices.ContainsFunc(group, func(name string) bool { return slices.Contains(said.Named, name) }) {
			s.Missed = append(s.Missed, strings.Join(group, " or "))
		}
	}
	for _, name := range said.Named {
		if !slices.Contains(allowed, name) && !slices.Contains(s.Wrongful, name) {
			s.Wrongful = append(s.Wrongful, name)
		}
	}
	return s
}

// situation is a way in which a rehearsal is right or wrong.
type situation struct {
	name string
	draw func(*draw) (*rehearsal, Truth)
}

// Simulated draws the case of a seed for a simulated world.
func Simulated(seed int64) Case { return drawn(seed, simulatedSituations()) }

// Real draws the case of a seed for real services.
func Real(seed int64) Case { return drawn(seed, realSituations()) }

// drawn takes the situations in turn, so that each is drawn as often as the
// others; all else is random.
func drawn(seed int64, situations []situation) Case {
	s := situations[int(uint64(seed)%uint64(len(situations)))]
	d := &draw{random: rand.New(rand.NewPCG(uint64(seed), 0x7265686561727365))}
	r, truth := s.draw(d)
	r.world.Seed = seed
	return Case{
		Seed: seed, Situation: s.name, Page: r.page(), Scenario: r.scenario(seed), World: r.world, Truth: truth,
	}
}
