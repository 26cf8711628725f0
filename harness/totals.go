package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// statusTimeout bounds one question for a service's counters.
const statusTimeout = 5 * time.Second

// asker asks services for their counters, past any proxy of the environment. It
// follows no redirect: what answers elsewhere is another service.
var asker = &http.Client{
	Timeout: statusTimeout, Transport: &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// askTimes is how often a service is asked that gives no answer of HTTP. One whose own
// protocol has the server speak first takes a client that is late for one of that
// (standin.Silence).
const askTimes = 3

// asked is the answer to a question without a body, which may be put again.
func asked(req *http.Request) (resp *http.Response, err error) {
	for range askTimes {
		if resp, err = asker.Do(req); err == nil || req.Context().Err() != nil {
			break
		}
	}
	return resp, err
}

// counters are those of a stand-in, from GET /rehearse/status.
func counters(ctx context.Context, base string) (map[string]int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+contract.StatusPath, nil)
	if err != nil {
		return nil, fmt.Errorf("ask for counters: %w", err)
	}
	resp, err := asked(req)
	if err != nil {
		return nil, fmt.Errorf("ask for counters: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask for counters: answered %s", resp.Status)
	}
	var counted map[string]int64
	if err := json.NewDecoder(resp.Body).Decode(&counted); err != nil {
		return nil, fmt.Errorf("ask for counters: %w", err)
	}
	return counted, nil
}

// quiesce has a stand-in end what it does unasked, so that what it and those it
// calls have counted stays as it is.
func quiesce(ctx context.Context, base, token string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+contract.QuiescePath, nil)
	if err != nil {
		return fmt.Errorf("quiesce: %w", err)
	}
	contract.SetBearer(req, token)
	resp, err := asked(req)
	if err != nil {
		return fmt.Errorf("quiesce: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("quiesce: answered %s", resp.Status)
	}
	return nil
}

// ask fetches the counters of rehearse's own services while they run and, with
// the load ended, rest. One that has ended meanwhile is left out: its counters
// are gone, or began anew.
func (r *run) ask(ctx context.Context) map[string]map[string]int64 {
	all := map[string]map[string]int64{}
	for _, s := range r.plan.Services {
		if s.Serve == "" || r.exited(s.Name) {
			continue
		}
		if err := quiesce(ctx, r.runtime.URL(s.Name, false), r.graph.Token()); err != nil {
			r.trouble(fmt.Errorf("%s: %w", s.Name, err))
		}
	}
	for _, s := range r.plan.Services {
		if s.Serve == "" || r.exited(s.Name) || r.delivery.Restarted(s.Name) {
			continue
		}
		counted, err := counters(ctx, r.runtime.URL(s.Name, false))
		if err != nil {
			r.trouble(fmt.Errorf("%s: %w", s.Name, err))
			continue
		}
		all[s.Name] = counted
	}
	return all
}

// counter is one counter of a service, or where that cannot be had what its
// log, read to the end, tells; false where neither can.
func (r *run) counter(service, name string, counted map[string]map[string]int64) (int64, bool) {
	if n, ok := counted[service][name]; ok {
		return n, true
	}
	return r.logs.Told(service), r.serves(service)
}

// totals are the four counters where the credential is judged: what load sent, with what
// services counted and the harness's own probes. No more lines come.
func (r *run) totals(load history.Totals, counted map[string]map[string]int64) history.Totals {
	t := load
	t.Complete = true
	complete := func(n int64, known bool) int64 {
		t.Complete = t.Complete && known
		return n
	}
	served := map[string]bool{}
	for _, v := range r.plan.Limits.Validators {
		served[v.Name] = true
		t.Served += complete(r.counter(v.Name, "served", counted))
	}
	if r.plan.Limits.JudgedAt == history.FromAuthority {
		// Load's attempts arrive at consumers, which present the credential:
		// one that did not get there was not sent there. What a consumer
		// presents unasked, out of a queue of its own, was scheduled by that; what
		// it presents again after a refusal is a retry.
		t.Sent, t.Recorded, t.Unanswered = 0, r.logs.Attempts(), r.logs.Unanswered()
		retried, again := r.logs.Tries()
		own := false
		for _, e := range r.plan.Limits.Emitters {
			served[e.Name] = true
			if !r.serves(e.Name) { // it counts nothing: what arrived is all that is known
				own = true
				t.Sent += complete(r.logs.Presented(e.Name), false)
				continue
			}
			t.Sent += complete(r.counter(e.Name, "presented", counted))
		}
		if n := r.strangers(); n > 0 {
			own = true
			t.Sent += complete(n, false)
		}
		// No more than had no answer: beyond that they do not agree.
		t.Twice = min(max(0, t.Recorded-t.Sent), t.Unanswered)
		t.Recorded -= t.Twice
		t.Retried, t.Scheduled = retried, t.Scheduled+again
		t.NotSent += min(load.Unanswered, max(0, load.Sent-load.Retried-(t.Sent-retried-again)))
		switch {
		case runbook.Traits[r.plan.Limits.Family].Pools:
			t.Scheduled, t.NotSent, t.Behind = r.began(counted, complete), 0, 0
		case own: // how often it calls for one request is its own affair
			t.Scheduled, t.NotSent, t.Behind = t.Sent-t.Retried, 0, 0
		}
	}
	for _, c := range r.plan.Limits.Clients {
		t.Complete = t.Complete && served[c.To]
	}
	t.Probes = r.evidence.probes.sent.Load()
	t.Scheduled, t.Sent, t.Recorded = t.Scheduled+t.Probes, t.Sent+t.Probes, t.Recorded+t.Probes
	t.Unanswered += r.evidence.probes.unanswered.Load()
	return t
}

// began is how many connections pools began to make: a request may need none,
// and a pool makes some unasked. Of a pool of a team's own only those are known
// that arrived.
func (r *run) began(counted map[string]map[string]int64, complete func(int64, bool) int64) (n int64) {
	for _, e := range r.plan.Limits.Emitters {
		if !r.serves(e.Name) {
			n += r.logs.Presented(e.Name)
			continue
		}
		n += complete(r.counter(e.Name, "began", counted))
	}
	return n + r.strangers()
}

// strangers is how often those presented the secret who are no emitters by the page:
// services of a team's own, and of a system that runs already whoever was seen to.
func (r *run) strangers() (n int64) {
	if r.plan.Limits.Attached() {
		n = r.logs.Attempts()
		for _, e := range r.plan.Limits.Emitters {
			n -= r.logs.Presented(e.Name)
		}
		return n
	}
	for _, s := range r.plan.Services {
		isEmitter := slices.ContainsFunc(r.plan.Limits.Emitters, func(e plan.Emitter) bool { return e.Name == s.Name })
		if s.Serve == "" && !isEmitter {
			n += r.logs.Presented(s.Name)
		}
	}
	return n
}

// exited says whether a service has ended during the run, at least once.
func (r *run) exited(service string) (ended bool) {
	r.evidence.See(func(v *history.View) { _, ended = v.Exited[service] })
	return ended
}

// serves says whether a service is one of rehearse's own, whose log tells every
// decision.
func (r *run) serves(service string) bool {
	return slices.ContainsFunc(r.plan.Services, func(s plan.Service) bool { return s.Name == service && s.Serve != "" })
}
