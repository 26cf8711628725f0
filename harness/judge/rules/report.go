package rules

import (
	"cmp"
	"math"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// report counts each presenter at each validator, phase by phase.
func (e *judging) report() []judge.Cell {
	cells := []judge.Cell{}
	type pair struct {
		presenter, validator string
		source               history.Source
	}
	var pairs []pair
	for _, key := range e.View.Keys() {
		p := pair{key.Presenter, key.Validator, key.Source}
		if !slices.Contains(pairs, p) {
			pairs = append(pairs, p)
		}
	}
	for _, p := range pairs {
		for _, phase := range e.Phases {
			from, to := phase.Span()
			cell := judge.Cell{
				Presenter: p.presenter, Validator: p.validator, Source: p.source, Phase: phase.Name,
				Statuses: map[string]int64{}, Credentials: map[string]judge.CredentialCounts{},
			}
			var latency [][2]int64
			for _, key := range e.View.Keys() {
				if key.Presenter != p.presenter || key.Validator != p.validator || key.Source != p.source {
					continue
				}
				c := e.View.Sum(key, from, to)
				if c.Attempts == 0 && c.Retries == 0 {
					continue
				}
				cell.Attempts += c.Attempts
				cell.AuthFailures += c.AuthFailures
				cell.Unavailable += c.Unavailable
				cell.Retries += c.Retries
				cell.RetriesOK += c.RetriesOK
				for status, n := range c.Statuses {
					cell.Statuses[status] += n
				}
				if key.Credential != "" {
					cell.Credentials[key.Credential] = judge.CredentialCounts{Attempts: c.Attempts, AuthFailures: c.AuthFailures}
				}
				latency = append(latency, c.Latency...)
			}
			cell.P50MS, cell.P99MS = percentile(latency, 0.5), percentile(latency, 0.99)
			cells = append(cells, cell)
		}
	}
	return cells
}

// percentile is the value, in milliseconds, that a share of the counted
// latencies does not exceed; pairs are microseconds and counts.
func percentile(pairs [][2]int64, share float64) float64 {
	var total int64
	for _, p := range pairs {
		total += p[1]
	}
	if total == 0 {
		return 0
	}
	slices.SortFunc(pairs, func(a, b [2]int64) int { return cmp.Compare(a[0], b[0]) })
	rank := int64(math.Ceil(share*float64(total))) - 1
	for _, p := range pairs {
		if rank < p[1] {
			return float64(p[0]) / 1000
		}
		rank -= p[1]
	}
	return float64(pairs[len(pairs)-1][0]) / 1000
}

// validators says how long each validator really took to learn and to forget.
func (e *judging) validators() []judge.ValidatorReport {
	reports := []judge.ValidatorReport{}
	accepted, wasAccepted := e.Done(keyring.Accept, e.Fresh)
	revoked, wasRevoked := e.Done(keyring.Revoke, e.Old)
	for _, v := range e.Limits.Validators {
		r := judge.ValidatorReport{Name: v.Name, OnPage: v.OnPage, LearnedAfterMS: -1, ForgotAfterMS: -1, BoundMS: -1, ForgetBoundMS: -1}
		from, since := accepted, accepted
		if v.Authority { // it has the new one before the step that gave it is done
			from, _ = e.Begun(keyring.Accept, e.Fresh)
		}
		if learned, ok := e.Learned(v.Name, e.Fresh, from); ok && wasAccepted {
			if v.OnMiss {
				since = max(since, min(learned, e.firstPresented(v.Name, e.Fresh)))
			}
			r.LearnedAfterMS = max(learned-since, 0).Milliseconds()
		} else if v.Authority && wasAccepted {
			r.LearnedAfterMS = 0 // it logs nothing, and the step decides
		}
		if p := e.OldProbes(v, revoked); p.Refused && wasRevoked {
			r.ForgotAfterMS = (p.RefusedAt - revoked).Milliseconds()
		}
		if g1 := e.Limits.G1(v); g1 != runbook.Forever {
			r.BoundMS = (e.Limits.Wall(g1) + v.Granule).Milliseconds()
		}
		if g3 := e.Limits.G3(v); g3 != runbook.Forever {
			r.ForgetBoundMS = (e.Limits.Wall(g3) + v.Granule).Milliseconds()
		}
		r.TurnedAway, _ = e.TurnedAway(v.Name, e.Start, e.End)
		reports = append(reports, r)
	}
	return reports
}

// operator is what a person did, in order.
func (e *judging) operator() []judge.OperatorAction {
	var actions []judge.OperatorAction
	for _, event := range e.Events {
		if event.Kind == history.KindOperator {
			a := judge.OperatorAction{AtMS: event.At.Milliseconds(), Phase: event.Phase, Did: event.Detail}
			if event.Began > 0 {
				a.WaitedMS = max(0, event.At-event.Began).Milliseconds()
			}
			actions = append(actions, a)
		}
	}
	return actions
}

// firstPresented is when a credential was first shown to a validator, by a
// probe or by load; the end of the run where it never was.
func (e *judging) firstPresented(validator, credential string) history.Offset {
	first := e.End
	for _, event := range e.About(validator) {
		if event.Kind == history.KindProbe && event.Credential == credential {
			first = min(first, event.At-event.Probe.Latency)
		}
	}
	for key, buckets := range e.View.Cells {
		if key.Validator != validator || key.Credential != credential {
			continue
		}
		if i := slices.IndexFunc(buckets, func(b history.Bucket) bool { return b.Attempts > 0 }); i >= 0 {
			first = min(first, buckets[i].At)
		}
	}
	return first
}
