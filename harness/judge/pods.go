package judge

import (
	"cmp"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// PodReport is the way of the new credential to one pod: from the API server, which
// has it in a Secret, by its kubelet, to where the pod takes it. A time that is -1 was
// not seen; SeenWhy says why not.
type PodReport struct {
	Service string `json:"service"`
	Pod     string `json:"pod"`
	// CameMS and WentMS are when it was first seen, and that it was gone, since the
	// start of the run; -1: it stayed.
	CameMS int64 `json:"came_ms"`
	WentMS int64 `json:"went_ms"`
	// SawAfterMS is from the write to the API server until its kubelet had brought the
	// file, and TookAfterMS until it first took the new credential, as it is known: it
	// is asked at the end of the lead, and may have taken it long before.
	SawAfterMS  int64  `json:"saw_after_ms"`
	SeenWhy     string `json:"seen_why,omitempty"`
	TookAfterMS int64  `json:"took_after_ms"`
	// RefusedNew is how often it refused the new credential before the revoke.
	RefusedNew int64 `json:"refused_new,omitempty"`
	// ForgotAfterMS is from the revoke until it had last taken the old credential,
	// and then refused it; -1: it never refused it.
	ForgotAfterMS int64 `json:"forgot_after_ms"`
}

// pods says what became of each pod, in the order of services and of when they came.
func (e *evidence) pods() []PodReport {
	known := map[[2]string]*PodReport{}
	var order []*PodReport
	of := func(service, pod string) *PodReport {
		key := [2]string{service, pod}
		if known[key] == nil {
			known[key] = &PodReport{Service: service, Pod: pod, WentMS: -1, SawAfterMS: -1, TookAfterMS: -1, ForgotAfterMS: -1}
			order = append(order, known[key])
		}
		return known[key]
	}
	written, wrote := history.Offset(0), false
	revoked, wasRevoked := e.done("revoke", e.old)
	for _, event := range e.events {
		switch {
		case event.Kind == history.KindPod && event.What == history.PodWritten:
			if event.Credential == e.fresh && !wrote {
				written, wrote = event.At, true
			}
		case event.Kind == history.KindPod:
			p := of(event.Service, event.Replica)
			switch {
			case event.What == history.PodCame:
				p.CameMS = event.At.Milliseconds()
			case event.What == history.PodWent:
				p.WentMS = event.At.Milliseconds()
			case event.Credential != e.fresh || p.SawAfterMS >= 0 || !wrote:
			case event.What == history.PodSaw:
				p.SawAfterMS, p.SeenWhy = (event.At - written).Milliseconds(), ""
			case event.What == history.PodUnseen:
				p.SeenWhy = event.Detail
			}
		case event.Replica != "" && wrote && (event.Kind == history.KindLearned && event.Credential == e.fresh || event.Kind == history.KindLoaded && slices.Contains(event.Credentials, e.fresh)):
			if p := of(event.Service, event.Replica); p.TookAfterMS < 0 { // by its own log
				p.TookAfterMS = (event.At - written).Milliseconds()
			}
		case event.Kind == history.KindProbe && event.Probe.Replica != "":
			p := known[[2]string{event.Service, event.Probe.Replica}]
			if p == nil {
				continue // an address, and no pod
			}
			switch taken := event.Probe.Outcome == history.OK; {
			case event.Credential == e.fresh && taken && p.TookAfterMS < 0 && wrote:
				p.TookAfterMS = (event.At - written).Milliseconds()
			case event.Credential == e.fresh && event.Probe.Outcome == history.AuthFailure && (!wasRevoked || event.At < revoked):
				p.RefusedNew++
			case event.Credential == e.old && wasRevoked && event.At > revoked && taken:
				p.ForgotAfterMS = -1
			case event.Credential == e.old && wasRevoked && event.At > revoked && event.Probe.Outcome == history.AuthFailure && p.ForgotAfterMS < 0:
				p.ForgotAfterMS = (event.At - revoked).Milliseconds()
			}
		}
	}
	reports := make([]PodReport, len(order))
	for i, p := range order {
		reports[i] = *p
	}
	slices.SortStableFunc(reports, func(a, b PodReport) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.CameMS, b.CameMS), cmp.Compare(a.Pod, b.Pod))
	})
	if len(reports) == 0 {
		return nil
	}
	return reports
}
