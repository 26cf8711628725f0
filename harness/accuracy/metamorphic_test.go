package accuracy

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

var pairs = flag.Int("pairs", 2*len(metamorphoses), "how many rehearsals are held against themselves, changed in what does not matter")

// metamorphosis is a change after which the same must be said: of the same
// parties, by their new names.
type metamorphosis struct {
	name   string
	change func(*rehearsal)
	// rename maps old names to new ones; nil: they stay.
	rename func(names []string) map[string]string
}

// metamorphoses are what does not matter.
var metamorphoses = []metamorphosis{
	{"renamed", func(*rehearsal) {}, func(names []string) map[string]string {
		renamed := map[string]string{}
		for i, name := range slices.Sorted(slices.Values(names)) {
			renamed[name] = fmt.Sprintf("%c-party", 'z'-i) // in the opposite order
		}
		return renamed
	}},
	{"in another order", func(r *rehearsal) {
		slices.Reverse(r.validators)
		slices.Reverse(r.clients)
		if r.hook != nil {
			slices.Reverse(r.hook.receivers)
		}
	}, nil},
	{"one more healthy party", func(r *rehearsal) {
		if r.hook != nil || r.apiKey {
			return // who checks there is given
		}
		r.validators = append(r.validators, validator{name: "neighbour", library: "keyfunc", onPage: true, forgets: time.Hour})
		r.clients = append(r.clients, client{name: "visitor", to: "neighbour", from: "auth", rate: 30, sessions: 20, life: r.life})
		r.watch = max(r.watch, r.g3(r.validators[len(r.validators)-1])+r.inPage(certain))
	}, nil},
	{"a longer baseline", func(r *rehearsal) { r.baseline += 97 * time.Second }, nil},
	{"everything twice as long, at twice the speed", func(r *rehearsal) {
		r.speed *= 2
		for _, d := range []*time.Duration{&r.baseline, &r.refresh, &r.propagation, &r.life, &r.lead, &r.window, &r.watch, &r.cacheTTL} {
			*d *= 2
		}
		for i := range r.clients {
			r.clients[i].life *= 2
		}
		for i := range r.validators {
			if v := &r.validators[i]; v.ttl {
				v.learns, v.forgets = 2*v.learns, 2*v.forgets
			}
		}
		for name, b := range r.world.Validators {
			b.Refresh *= 2
			r.world.Validators[name] = b
		}
		if r.hook != nil {
			for i := range r.hook.receivers {
				r.hook.receivers[i].refresh *= 2
			}
		}
	}, nil},
	{"another phase of every cache", func(r *rehearsal) { r.world.Seed += 1_000_003 }, nil},
}

// steady are the situations of which the same must be said whatever the phase of
// a cache is, and however long the watch: those that luck has no part in.
var steady = []string{
	"all bounds hold", "lead short", "window short", "never forgets", "consumer off the page", "signer off the page", "one slot",
	"signer that does not switch", "page that promises too much", "consumer down", "traffic cut",
	"key: all bounds hold", "key: consumer off the page", "key: consumer that does not switch", "key: provider down",
	"hook: all bounds hold", "hook: receiver off the page", "hook: receiver that never reloads", "hook: sender that does not switch",
}

// TestMetamorphic rehearses drawn cases twice, the second time changed in what
// does not matter, and wants the same verdict and the same culprits.
func TestMetamorphic(t *testing.T) {
	situations := slices.DeleteFunc(simulatedSituations(), func(s situation) bool { return !slices.Contains(steady, s.name) })
	if len(situations) != len(steady) {
		t.Fatalf("got %d of %d steady situations", len(situations), len(steady))
	}
	for i := range *pairs {
		seed := *firstSeed + int64(i)
		m, s := metamorphoses[i%len(metamorphoses)], situations[(i*7+int(*firstSeed))%len(situations)]
		t.Run(fmt.Sprintf("seed %d, %s, %s", seed, s.name, m.name), func(t *testing.T) {
			t.Parallel()
			draw := func() (*rehearsal, Truth) {
				return s.draw(&draw{random: rand.New(rand.NewPCG(uint64(seed), 0x6d657461))})
			}
			r, truth := draw()
			r.world.Seed = seed
			first := Case{Seed: seed, Situation: s.name, Page: r.page(), Scenario: r.scenario(seed), World: r.world, Truth: truth}
			changed, _ := draw()
			changed.world.Seed = seed
			m.change(changed)
			second := Case{Seed: seed, Situation: s.name, Page: changed.page(), Scenario: changed.scenario(seed), World: changed.world, Truth: truth}
			var back map[string]string
			if m.rename != nil {
				back = second.rename(m.rename(namesIn(second)))
			}
			if s.name == "window short" {
				truth.May = append(truth.May, "visitor") // whose tokens outlive the window as well
			}
			was, is := simulate(t, first), simulate(t, second)
			for i, name := range is.Named {
				if old, ok := back[name]; ok {
					is.Named[i] = old
				}
			}
			matter := func(named []string) []string {
				left := slices.DeleteFunc(slices.Clone(named), func(name string) bool { return slices.Contains(truth.May, name) })
				return slices.Sorted(slices.Values(left))
			}
			if was.Verdict != is.Verdict || !slices.Equal(matter(was.Named), matter(is.Named)) {
				t.Errorf("got %s of %q (%s)\nand %s of %q (%s), want the same\n%s%s", was.Verdict, was.Named, was.Why, is.Verdict, is.Named, is.Why, second.Page, second.Scenario)
			}
		})
	}
}

// namePattern is a party's name where a file gives it one.
var namePattern = regexp.MustCompile(`(?m)(?:name: |client: |^  )([a-z][a-z0-9-]*)(?:,|: \{)`)

// namesIn are the names of the parties of a case.
func namesIn(c Case) []string {
	found := map[string]bool{}
	for _, text := range []string{c.Page, c.Scenario} {
		for _, match := range namePattern.FindAllStringSubmatch(text, -1) {
			if match[1] != "drawn" {
				found[match[1]] = true
			}
		}
	}
	return slices.Collect(maps.Keys(found))
}

// rename gives the parties of a case other names, and returns the way back.
func (c *Case) rename(names map[string]string) map[string]string {
	back := map[string]string{}
	words := regexp.MustCompile(`[A-Za-z0-9_./-]+`)
	replace := func(text string) string {
		return words.ReplaceAllStringFunc(text, func(word string) string {
			if to, ok := names[word]; ok {
				return to
			}
			return word
		})
	}
	for from, to := range names {
		back[to] = from
	}
	c.Page, c.Scenario = replace(c.Page), replace(c.Scenario)
	c.World.Validators, c.World.Down = renamed(c.World.Validators, names), renamed(c.World.Down, names)
	c.World.Pinned, c.World.Refresh = renamed(c.World.Pinned, names), renamed(c.World.Refresh, names)
	return back
}

// renamed is a map by the new names.
func renamed[T any](of map[string]T, names map[string]string) map[string]T {
	if of == nil {
		return nil
	}
	by := map[string]T{}
	for name, value := range of {
		if to, ok := names[name]; ok {
			name = to
		}
		by[name] = value
	}
	return by
}

// TestRenaming checks that renaming renames parties, and nothing else.
func TestRenaming(t *testing.T) {
	c := Case{
		Page:     "scope: {name: drawn}\nconsumers:\n  - {name: auth, roles: [emit]}\nchecks: [auth-failures]\n",
		Scenario: "services:\n  auth: {serve: issuer}\nload:\n  - {client: client-1, to: auth, rate: 3/s}\n",
		World:    simulated.Options{Pinned: map[string]bool{"auth": true}},
	}
	names := namesIn(c)
	slices.Sort(names)
	if strings.Join(names, " ") != "auth client-1" {
		t.Fatalf("names: got %q, want auth and client-1", names)
	}
	back := c.rename(map[string]string{"auth": "z-party", "client-1": "y-party"})
	want := "scope: {name: drawn}\nconsumers:\n  - {name: z-party, roles: [emit]}\nchecks: [auth-failures]\n"
	if c.Page != want || strings.Contains(c.Scenario, "auth:") || !strings.Contains(c.Scenario, "client: y-party, to: z-party") || !c.World.Pinned["z-party"] || back["z-party"] != "auth" {
		t.Errorf("got\n%s%s%v", c.Page, c.Scenario, c.World.Pinned)
	}
}
