package rules

import (
	"cmp"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

// pods says what became of each pod, in the order of services and of when they came.
func (e *judging) pods() []judge.PodReport {
	known := map[[2]string]*judge.PodReport{}
	var order []*judge.PodReport
	of := func(service, pod string) *judge.PodReport {
		key := [2]string{service, pod}
		if known[key] == nil {
			known[key] = &judge.PodReport{Service: service, Pod: pod, WentMS: -1, SawAfterMS: -1, TookAfterMS: -1, ForgotAfterMS: -1}
			order = append(order, known[key])
		}
		return known[key]
	}
	written, wrote := history.Offset(0), false
	revoked, wasRevoked := e.RevokedAt()
	for _, event := range e.Events {
		switch {
		case event.Kind == history.KindPod && event.What == history.PodWritten:
			if event.Credential == e.Fresh && !wrote {
				written, wrote = event.At, true
			}
		case event.Kind == history.KindPod:
			p := of(event.Service, event.Replica)
			switch {
			case event.What == history.PodCame:
				p.CameMS = event.At.Milliseconds()
			case event.What == history.PodWent:
				p.WentMS = event.At.Milliseconds()
			case event.Credential != e.Fresh || p.SawAfterMS >= 0 || !wrote:
			case event.What == history.PodSaw:
				p.SawAfterMS, p.SeenWhy = (event.At - written).Milliseconds(), ""
			case event.What == history.PodUnseen:
				p.SeenWhy = event.Detail
			}
		case event.Replica != "" && wrote && (event.Kind == history.KindLearned && event.Credential == e.Fresh || event.Kind == history.KindLoaded && slices.Contains(event.Credentials, e.Fresh)):
			if p := of(event.Service, event.Replica); p.TookAfterMS < 0 { // by its own log
				p.TookAfterMS = (event.At - written).Milliseconds()
			}
		case event.Kind == history.KindProbe && event.Probe.Replica != "":
			p := known[[2]string{event.Service, event.Probe.Replica}]
			if p == nil {
				continue // an address, and no pod
			}
			switch taken := event.Probe.Outcome == history.OK; {
			case event.Credential == e.Fresh && taken && p.TookAfterMS < 0 && wrote:
				p.TookAfterMS = (event.At - written).Milliseconds()
			case event.Credential == e.Fresh && event.Probe.Outcome == history.AuthFailure && (!wasRevoked || event.At < revoked):
				p.RefusedNew++
			case event.Credential == e.Old && wasRevoked && event.At > revoked && taken:
				p.ForgotAfterMS = -1
			case event.Credential == e.Old && wasRevoked && event.At > revoked && event.Probe.Outcome == history.AuthFailure && p.ForgotAfterMS < 0:
				p.ForgotAfterMS = (event.At - revoked).Milliseconds()
			}
		}
	}
	reports := make([]judge.PodReport, len(order))
	for i, p := range order {
		reports[i] = *p
	}
	slices.SortStableFunc(reports, func(a, b judge.PodReport) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.CameMS, b.CameMS), cmp.Compare(a.Pod, b.Pod))
	})
	if len(reports) == 0 {
		return nil
	}
	return reports
}
