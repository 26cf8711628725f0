package reports

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// maxPoints bounds a track: more than a chart of this width can show.
const maxPoints = 240

// Timeline is what a report shows of a history beside its verdict: first attempts over time, and who
// was shown which credential, within the phases.
type Timeline struct {
	Start  history.Offset // of the first point of every track
	Width  history.Offset // of every point, in wall time
	Whole  Track          // of all that is judged
	Tracks map[pair]*Track

	Credentials []Credential
	Switches    []Switch
	Proofs      []Proof
	Machine     *Strained // nil: nothing is known of it
}

// Track is first attempts over time, and their latencies before and after the
// first change.
type Track struct {
	Points        []Point
	Before, After latencies
}

// Point is what was counted in one stretch of time: first attempts.
type Point struct {
	Attempts     int64
	AuthFailures int64
	Unavailable  int64
	Credentials  map[string]int64 // attempts with each credential
}

// Credential is one version of the secret as the history names it.
type Credential struct{ Name, Identifier, Fingerprint string }

// Switch is an emitter that began to use a credential, After the step that told
// it to.
type Switch struct {
	Emitter, Credential string
	After               history.Offset
}

// Proof sums up the harness's own presentations of a credential to a validator.
type Proof struct {
	Validator, Credential string
	Purpose               history.Purpose
	Presentation, Status  string // of the last time
	Outcome               history.Outcome
	Shown, Taken, Denied  int64
	LastTaken             history.Offset // zero: it never was
	// Refused is the first refusal after which the credential was not taken again; zero where there is
	// none.
	Refused history.Offset
}

// TimelineOf reads a history once. The limits say whose observations are judged.
func TimelineOf(h *history.History, l plan.Limits) *Timeline {
	t := &Timeline{Tracks: map[pair]*Track{}}
	changed, points := t.frame(h)
	if points > 0 {
		t.Whole.Points = make([]Point, points)
	}
	emitted, emits := map[string]history.Offset{}, map[string]string{}
	for i := range h.Events {
		switch e := &h.Events[i]; e.Kind {
		case history.KindCounts:
			if e.Counts == nil {
				continue
			}
			for at, counts := range e.Counts.Slices(e.At) {
				t.count(at, counts, changed, points, l.JudgedAt)
			}
		case history.KindMachine:
			t.strain(e, points)
		case history.KindCredential:
			t.Credentials = append(t.Credentials, Credential{e.Credential, e.Identifier, e.Detail})
		case history.KindStep:
			if e.Step == "emit" && e.Detail == "" && e.Phase != "" { // earlier emits made the initial state
				emitted[e.Credential] = e.Began
			}
		case history.KindEmitting:
			again := emits[e.Service] == e.Credential // by one that was started anew
			emits[e.Service] = e.Credential
			if began, told := emitted[e.Credential]; told && e.At >= began && began > 0 && !again {
				t.Switches = append(t.Switches, Switch{e.Service, e.Credential, e.At - began})
			}
		case history.KindProbe:
			if e.Probe.Purpose != history.Garbage && e.Probe.Purpose != history.Control { // which says nothing of a credential
				t.prove(e)
			}
		}
	}
	return t
}

// frame finds when the phases ran, and cuts that time into points; changed is
// the end of the baseline.
func (t *Timeline) frame(h *history.History) (changed history.Offset, points int) {
	var end history.Offset
	started, ended := false, false
	changed = history.Offset(math.MaxInt64)
	for i := range h.Events {
		switch e := &h.Events[i]; {
		case e.Kind == history.KindPhase:
			if !started {
				t.Start, started = floorMS(e.At), true
			}
			if e.Phase != history.Baseline {
				changed = min(changed, floorMS(e.At))
			}
			end = max(end, e.At)
		case e.Kind == history.KindEnd:
			end, ended = e.At, true
		case !ended && e.Kind == history.KindCounts:
			end = max(end, e.At+1)
		}
	}
	if !started || end <= t.Start {
		return changed, 0
	}
	// A whole number of tenths of a second, the width of the counts' buckets: points of five and six
	// buckets in turn would show a wave.
	const grain = history.Offset(100 * time.Millisecond)
	whole := end - t.Start
	t.Width = max(grain, ((whole+maxPoints-1)/maxPoints+grain-1)/grain*grain)
	return changed, int((whole + t.Width - 1) / t.Width)
}

// floorMS is an offset in whole milliseconds, as a verdict has those of phases.
func floorMS(at history.Offset) history.Offset { return at - at%history.Offset(time.Millisecond) }

// count adds a bucket to the tracks that it belongs to.
func (t *Timeline) count(at history.Offset, c *history.Counts, changed history.Offset, points int, judgedAt history.Source) {
	if c.Attempts == 0 || c.Source == history.FromProbe || at < t.Start {
		return
	}
	i := int((at - t.Start) / max(t.Width, 1))
	if i >= points {
		return
	}
	key := pair{c.Source, c.Presenter, c.Validator}
	track := t.Tracks[key]
	if track == nil {
		track = &Track{Points: make([]Point, points)}
		t.Tracks[key] = track
	}
	add := func(track *Track) {
		track.Points[i].add(c)
		side := &track.After
		if at < changed {
			side = &track.Before
		}
		side.add(c.Latency)
	}
	add(track)
	if judgedAt == "" || c.Source == judgedAt {
		add(&t.Whole)
	}
}

func (p *Point) add(c *history.Counts) {
	p.Attempts += c.Attempts
	p.AuthFailures += c.AuthFailures
	p.Unavailable += c.Unavailable
	if p.Credentials == nil {
		p.Credentials = map[string]int64{}
	}
	p.Credentials[c.Credential] += c.Attempts
}

// prove adds a probe.
func (t *Timeline) prove(e *history.Event) {
	i := slices.IndexFunc(t.Proofs, func(p Proof) bool {
		return p.Validator == e.Service && p.Credential == e.Credential && p.Purpose == e.Probe.Purpose
	})
	if i < 0 {
		i = len(t.Proofs)
		t.Proofs = append(t.Proofs, Proof{Validator: e.Service, Credential: e.Credential, Purpose: e.Probe.Purpose})
	}
	p := &t.Proofs[i]
	p.Shown++
	p.Presentation, p.Status, p.Outcome = e.Probe.Presentation, e.Probe.Status, e.Probe.Outcome
	switch e.Probe.Outcome {
	case history.OK:
		p.Taken++
		p.LastTaken, p.Refused = e.At, 0
	case history.AuthFailure:
		p.Denied++
		if p.Refused == 0 {
			p.Refused = e.At
		}
	}
}

// latencies are counts by microseconds. What counts them rounds to some
// thousand different values, which bounds this map.
type latencies map[int64]int64

func (l *latencies) add(pairs [][2]int64) {
	if *l == nil {
		*l = latencies{}
	}
	for _, p := range pairs {
		(*l)[p[0]] += p[1]
	}
}

// percentiles are the values, in milliseconds, that a half and 99 % of the
// counted latencies do not exceed; 0 of none.
func (l latencies) percentiles() (p50, p99 float64) {
	var total int64
	values := make([]int64, 0, len(l))
	for value, n := range l {
		values = append(values, value)
		total += n
	}
	slices.SortFunc(values, func(a, b int64) int { return cmp.Compare(a, b) })
	at := func(share float64) float64 {
		rank := int64(math.Ceil(share * float64(total)))
		for _, value := range values {
			if rank -= l[value]; rank <= 0 {
				return float64(value) / 1000
			}
		}
		return 0
	}
	return at(0.5), at(0.99)
}
