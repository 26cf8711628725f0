package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/certs"
	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// statusTimeout bounds one question for a service's counters.
const statusTimeout = 5 * time.Second

// asker asks services for their counters, without a proxy of the environment and without following
// redirects: another address is another service.
var asker = &http.Client{
	Timeout: statusTimeout, Transport: certs.Trusting(&http.Transport{DisableKeepAlives: true}),
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// askTimes is how often a service is asked that gives no HTTP answer. One whose protocol lets the
// server speak first may take a late client for one of that protocol (standin.Silence).
const askTimes = 3

// asked sends a request without a body, which may be sent again.
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

// quiesce makes a stand-in stop what it does unasked, so that its counters and those of the services it
// calls stay as they are.
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

// ask fetches the counters of rehearse's own services after the load has ended. A service that ended
// meanwhile is left out: its counters are gone, or began anew.
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

// counter is one counter of a service, or else what its log tells, read to the end; false where neither
// is known.
func (r *run) counter(service, name string, counted map[string]map[string]int64) (int64, bool) {
	if n, ok := counted[service][name]; ok {
		return n, true
	}
	return r.logs.Told(service), r.serves(service)
}

// totals are the four counters where the credential is judged: what load sent, what services counted,
// and the harness's own probes. It is called when no more lines come.
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
		// Load calls consumers, which present the credential. An attempt that did not reach one was not
		// presented. What a consumer presents out of a queue of its own, it scheduled itself; what it
		// presents again after a refusal is a retry.
		t.Sent, t.Recorded, t.Unanswered = 0, r.logs.Attempts(), r.logs.Unanswered()
		retried, again := r.logs.Tries()
		own := false
		for _, e := range r.plan.Limits.Emitters {
			served[e.Name] = true
			if !r.serves(e.Name) { // it has no counter: only what arrived is known
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
		// At most those without an answer: beyond that the counters disagree.
		t.Twice = min(max(0, t.Recorded-t.Sent), t.Unanswered)
		t.Recorded -= t.Twice
		t.Retried, t.Scheduled = retried, t.Scheduled+again
		t.NotSent += min(load.Unanswered, max(0, load.Sent-load.Retried-(t.Sent-retried-again)))
		switch {
		case runbook.Traits[r.plan.Limits.Family].Pools:
			t.Scheduled, t.NotSent, t.Behind = r.began(counted, complete), 0, 0
		case own: // one request may make it call any number of times
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

// began is how many connections pools began to make: a request may need none, and a pool makes some
// unasked. Of an external pool only those are known that arrived.
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

// strangers is how often parties that are no emitters by the page presented the secret: external
// services and, in an attached system, whoever was seen.
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

// serves says whether a service is one of rehearse's own, whose log has every decision.
func (r *run) serves(service string) bool {
	return slices.ContainsFunc(r.plan.Services, func(s plan.Service) bool { return s.Name == service && s.Serve != "" })
}
