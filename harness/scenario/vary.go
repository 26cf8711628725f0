package scenario

import (
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// Distribution is where a duration is drawn from: exactly one of these is given.
type Distribution struct {
	Fixed     *runbook.Duration  `yaml:"fixed,omitempty" json:"fixed,omitempty"`         // always the same
	Uniform   []runbook.Duration `yaml:"uniform,omitempty" json:"uniform,omitempty"`     // the least and the most: each in between is as likely
	LogNormal *LogNormal         `yaml:"lognormal,omitempty" json:"lognormal,omitempty"` // most are near to the median, and a few much longer
	Measured  []runbook.Duration `yaml:"measured,omitempty" json:"measured,omitempty"`   // those that were measured: each is as likely, and one that is given twice twice as likely
	// MeasuredIn are those that a run measured.
	MeasuredIn *MeasuredIn `yaml:"measured_in,omitempty" json:"measured_in,omitempty"`

	inRun []runbook.Duration // what MeasuredIn names
}

// values are those that were measured.
func (d Distribution) values() []runbook.Duration {
	if d.MeasuredIn != nil {
		return d.inRun
	}
	return d.Measured
}

// LogNormal is a distribution with a long tail, as times over a network have it: its
// logarithm is normally distributed.
type LogNormal struct {
	Median runbook.Duration `yaml:"median" json:"median"` // half are at most that long
	P99    runbook.Duration `yaml:"p99" json:"p99"`       // 99 of 100 are at most that long
}

// longestDrawn is the most that is drawn: ten years.
const longestDrawn = 10 * 365 * 24 * time.Hour

// normal99 is the 99th percentile of the standard normal distribution.
const normal99 = 2.3263478740408408

// sigma is the standard deviation of the logarithm.
func (n LogNormal) sigma() float64 {
	return math.Log(float64(n.P99)/float64(n.Median)) / normal99
}

// Draw is one duration.
func (d Distribution) Draw(random *rand.Rand) time.Duration {
	switch {
	case d.Fixed != nil:
		return d.Fixed.Duration()
	case len(d.Uniform) == 2:
		return d.Uniform[0].Duration() + time.Duration(random.Int64N(int64(d.Uniform[1]-d.Uniform[0])+1))
	case d.LogNormal != nil:
		drawn := float64(d.LogNormal.Median) * math.Exp(d.LogNormal.sigma()*random.NormFloat64())
		return time.Duration(min(drawn, float64(longestDrawn))).Round(time.Millisecond)
	}
	measured := d.values()
	return measured[random.IntN(len(measured))].Duration()
}

// Beyond is the chance that a duration is longer than another.
func (d Distribution) Beyond(most time.Duration) float64 {
	longer := func(x runbook.Duration) bool { return x.Duration() > most }
	switch {
	case d.Fixed != nil && longer(*d.Fixed):
		return 1
	case len(d.Uniform) == 2 && longer(d.Uniform[1]):
		return min(1, float64(d.Uniform[1].Duration()-most)/float64(max(1, d.Uniform[1]-d.Uniform[0])))
	case d.LogNormal != nil && most <= 0:
		return 1
	case d.LogNormal != nil && d.LogNormal.P99 == d.LogNormal.Median && longer(d.LogNormal.Median):
		return 1
	case d.LogNormal != nil && d.LogNormal.P99 > d.LogNormal.Median:
		return math.Erfc(math.Log(float64(most)/float64(d.LogNormal.Median))/d.LogNormal.sigma()/math.Sqrt2) / 2
	case len(d.values()) > 0:
		n := 0
		for _, x := range d.values() {
			if longer(x) {
				n++
			}
		}
		return float64(n) / float64(len(d.values()))
	}
	return 0
}

// String is how a person reads it.
func (d Distribution) String() string {
	switch {
	case d.Fixed != nil:
		return d.Fixed.String()
	case len(d.Uniform) == 2:
		return fmt.Sprintf("%s to %s, each as likely", d.Uniform[0], d.Uniform[1])
	case d.LogNormal != nil:
		return fmt.Sprintf("half at most %s, and 99 of 100 at most %s", d.LogNormal.Median, d.LogNormal.P99)
	}
	return fmt.Sprintf("one of the %d that were measured", len(d.values()))
}

// Drawn is a scenario in which what varies has the values of a seed. Each is drawn by
// itself: one more changes nothing for the others.
func (l *Loaded) Drawn(seed int64) *Loaded {
	drawn := l
	for _, path := range slices.Sorted(maps.Keys(l.Scenario.Vary)) {
		hash := fnv.New64a()
		_, _ = hash.Write([]byte("vary " + path)) // a hash's Write never fails
		drawn = drawn.With(path, int64(l.Scenario.Vary[path].Draw(rand.New(rand.NewPCG(uint64(seed), hash.Sum64())))))
	}
	return drawn
}

// vary holds what varies against the durations that there are.
func (c check) vary() {
	if len(c.s.Vary) == 0 {
		return
	}
	names := slices.Sorted(maps.Keys((&Loaded{Scenario: *c.s}).Durations()))
	names = slices.DeleteFunc(names, func(name string) bool { return !varies(name) })
	for _, name := range slices.Sorted(maps.Keys(c.s.Vary)) {
		path, d := "vary."+name, c.s.Vary[name]
		if !slices.Contains(names, name) {
			c.ReportAt("vary", path, source.DidYouMean(name, names), "no duration of a service or a client is called %q", name)
			continue
		}
		given := 0
		for _, is := range []bool{d.Fixed != nil, d.Uniform != nil, d.LogNormal != nil, d.Measured != nil, d.MeasuredIn != nil} {
			if is {
				given++
			}
		}
		switch {
		case given != 1:
			c.ReportAt("vary", path, "", "%s: want one of fixed, uniform, lognormal, measured and measured_in, and there are %d", name, given)
		case d.Uniform != nil && (len(d.Uniform) != 2 || d.Uniform[0] > d.Uniform[1]):
			c.ReportAt("vary", path, "write it as uniform: [20s, 60s]", "%s: want the least and the most", name)
		case d.LogNormal != nil && (d.LogNormal.Median <= 0 || d.LogNormal.P99 < d.LogNormal.Median):
			c.ReportAt("vary", path, "write it as lognormal: {median: 20s, p99: 5m}", "%s: the median must be more than 0, and p99 at least as much", name)
		case d.Measured != nil && len(d.Measured) == 0:
			c.ReportAt("vary", path, "", "%s: nothing was measured", name)
		}
	}
}

// varies reports whether the duration at a path is one that may be drawn: what a party
// does. What the page says of it stays as it is.
func varies(path string) bool {
	return strings.HasPrefix(path, "services.") || strings.HasPrefix(path, "load.")
}
