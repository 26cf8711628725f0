package live

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// annotateWithin bounds one call of Grafana.
const annotateWithin = 3 * time.Second

// Annotations mark what happens in a run on the dashboards of a Grafana: phases, steps,
// faults, gates that do not hold, decisions, and the end (Grafana HTTP API, Annotations).
// One goroutine may tell it of events.
type Annotations struct {
	// URL is the address of the Grafana, and Token that of a service account that may
	// write annotations; empty: it asks for none.
	URL, Token string
	// Failed is told once, with the first call that failed: the run goes on without.
	Failed func(error)

	plan   *plan.Plan
	now    func() time.Time
	client *http.Client
	failed bool
}

// NewAnnotations are those of a run of a plan.
func NewAnnotations(p *plan.Plan, url, token string, failed func(error)) *Annotations {
	return &Annotations{
		URL: strings.TrimSuffix(url, "/"), Token: token, Failed: failed, plan: p, now: time.Now,
		client: &http.Client{Timeout: annotateWithin},
	}
}

var _ history.Listener = (*Annotations)(nil)

// annotation is one, as Grafana takes it.
type annotation struct {
	Time int64    `json:"time"` // milliseconds since the Unix epoch
	Tags []string `json:"tags"`
	Text string   `json:"text"`
}

// Event marks an event that a dashboard is to show.
func (a *Annotations) Event(e history.Event) {
	text, tags := about(e)
	if text == "" || a.failed {
		return
	}
	marked := annotation{
		Time: a.now().UnixMilli(), Tags: append([]string{"rehearse", a.plan.Runbook.Scope.Name}, tags...), Text: a.plan.Name + ": " + text,
	}
	if err := a.send(marked); err != nil {
		a.failed = true
		a.Failed(fmt.Errorf("annotate at %s, which is not tried again: %w", a.URL, err))
	}
}

// Dropped has nothing to mark: counts are what is dropped, for they are what comes fast.
func (a *Annotations) Dropped(int64) {}

// about is what to mark of an event; "": nothing.
func about(e history.Event) (text string, tags []string) {
	switch e.Kind {
	case history.KindPhase:
		return "phase " + string(e.Phase), []string{"phase", string(e.Phase)}
	case history.KindStep:
		if e.Detail != "" {
			return fmt.Sprintf("%s of %s failed: %s", e.Step, e.Credential, e.Detail), []string{"step", e.Step}
		}
		return fmt.Sprintf("%s of %s is done", e.Step, e.Credential), []string{"step", e.Step}
	case history.KindFault:
		switch f := e.Fault; f.Stage {
		case history.FaultInjected, history.FaultUndone, history.FaultFailed:
			return fmt.Sprintf("fault %s on %s %s", f.Kind, f.Target, f.Stage), []string{"fault", f.Kind}
		}
	case history.KindGate:
		if !e.Gate.Held {
			return fmt.Sprintf("the gate of %s does not hold: %s", e.Gate.Phase, e.Gate.Detail), []string{"gate"}
		}
	case history.KindDecision:
		return fmt.Sprintf("%s: %s", e.Decision.Action, e.Decision.Why), []string{"decision"}
	case history.KindEnd:
		return "the rotation ended: " + e.Detail, []string{"end"}
	}
	return "", nil
}

func (a *Annotations) send(marked annotation) error {
	body, err := json.Marshal(marked)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), annotateWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.URL+"/api/annotations", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if a.Token != "" {
		req.Header.Set("Authorization", "Bearer "+a.Token)
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return fmt.Errorf("answered %s", resp.Status)
	}
	return nil
}
