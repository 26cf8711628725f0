package logs

import (
	"regexp"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// refusals are the refusals in external services' logs. Detectors use them; flatness is not judged by
// them, since such a log does not tell what was accepted.
type refusals struct {
	patterns map[string]*regexp.Regexp // by service
	names    *Names
	offset   func(time.Time) history.Offset
	counts   *decisionCounts
}

func newRefusals(p *plan.Plan, names *Names, r *history.Recorder) *refusals {
	f := &refusals{patterns: map[string]*regexp.Regexp{}, names: names, offset: r.Offset, counts: newDecisionCounts(history.FromConsumer, r.Record)}
	for _, s := range p.Services {
		if s.Refusal == nil || s.Refusal.Log == "" {
			continue
		}
		// An invalid pattern was reported when the scenario was loaded.
		if pattern, err := regexp.Compile(s.Refusal.Log); err == nil {
			f.patterns[s.Name] = pattern
		}
	}
	return f
}

// line counts a line that tells of a refusal, when it comes. The groups of the pattern name the
// credential and its presenter.
func (f *refusals) line(service string, line []byte) {
	pattern := f.patterns[service]
	if pattern == nil {
		return
	}
	found := pattern.FindSubmatch(line)
	if found == nil {
		return
	}
	d := decision{at: f.offset(time.Now()), validator: service, outcome: history.AuthFailure, status: "log"}
	if i := pattern.SubexpIndex("credential"); i >= 0 {
		d.credential = f.names.Credential(string(found[i]))
	}
	if i := pattern.SubexpIndex("presenter"); i >= 0 {
		d.presenter = string(found[i])
	}
	f.counts.count(d)
}
