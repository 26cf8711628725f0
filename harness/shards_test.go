package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/fault"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/logs"
	"github.com/rehearse-dev/rehearse/harness/plan/plantest"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// killing ends one of the processes that send the load, before the emit.
type killing struct {
	t    *testing.T
	runs string // where the run has its record
}

func (k killing) Approve(ctx context.Context, next history.Phase) (world.Command, error) {
	if next == history.Emit {
		pids := k.loads()
		if len(pids) != 3 {
			k.t.Errorf("got processes %v that send the load, want 3", pids)
		} else if err := kill(pids[1]); err != nil {
			k.t.Error(err)
		}
	}
	return world.GoOn, ctx.Err()
}

func (killing) Interrupt() <-chan world.Command { return nil }

// loads are the processes of the run that send the load.
func (k killing) loads() (pids []int) {
	records, _ := filepath.Glob(filepath.Join(k.runs, "*.json"))
	for _, path := range records {
		var record struct{ Processes []struct{ PID int } }
		data, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(data, &record)
		}
		if err != nil {
			k.t.Error(err)
		}
		for _, p := range record.Processes {
			line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.PID), "cmdline"))
			if err == nil && bytes.HasSuffix(line, []byte("serve\x00load\x00")) {
				pids = append(pids, p.PID)
			}
		}
	}
	return pids
}

func kill(pid int) error {
	process, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return process.Kill()
}

// TestRunWithShards: a load that several processes send is judged as that of one is; with
// one of them killed it passes no longer, and says what was lost.
func TestRunWithShards(t *testing.T) {
	for _, kills := range []bool{false, true} {
		t.Run("killed="+strconv.FormatBool(kills), func(t *testing.T) {
			t.Parallel()
			if _, err := os.Stat("/proc/self/cmdline"); kills && err != nil {
				t.Skip("there is no /proc to find processes in")
			}
			o := inProcesses(t)
			o.LoadShards = 3
			if kills {
				o.Operator = killing{t, o.Runs}
			}
			outcome, err := Run(t.Context(), plantest.Plan(t, plantest.JWTPage, plantest.JWTScenario), o)
			if err != nil {
				t.Fatal(err)
			}
			nothingLeft(t, o)
			r := ruleOf(t, outcome.Verdict, "accounting")
			if !kills {
				if r.Outcome != judge.Pass || !strings.Contains(r.Detail, "sent by 3 processes") {
					t.Errorf("got accounting %s: %s", r.Outcome, r.Detail)
				}
				for _, name := range []string{"load.load-1.log", "load.load-2.log", "load.load-3.log"} {
					if _, err := os.Stat(filepath.Join(outcome.Folder, LogsFolder, name)); err != nil {
						t.Error(err)
					}
				}
				return
			}
			if r.Outcome != judge.Inconclusive || !strings.Contains(r.Detail, "one of the 3 processes that send the load, was lost") {
				t.Errorf("got accounting %s: %s", r.Outcome, r.Detail)
			}
			// What was seen to be broken stays so: the scenario fails with all of its load, too.
			if outcome.Verdict.Verdict == judge.Pass || outcome.Ended != history.EndedComplete {
				t.Errorf("got %s, ended %s: want the rotation to end, and no pass", outcome.Verdict.Verdict, outcome.Ended)
			}
			if slices.ContainsFunc(outcome.History.Events, func(e history.Event) bool { return e.Kind == history.KindTrouble }) {
				t.Error("what was lost is told of twice")
			}
		})
	}
}

// TestSharesThatCannotBe: no more processes than sessions, none beside a service of the
// same name, and none where the load itself is disturbed.
func TestSharesThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		asked   int
		change  func(*scenario.Scenario)
		want    int
		refused bool
	}{
		{"one", 1, func(*scenario.Scenario) {}, 1, false},
		{"as many as there are sessions", 1000, func(s *scenario.Scenario) {
			for i := range s.Load {
				s.Load[i].Sessions = 5
			}
		}, 5, false},
		{"without tokens of their own", 7, func(s *scenario.Scenario) { s.Load[0].Token, s.Load[0].Sessions = nil, 1 }, 7, false},
		{"a fault on the load", 2, func(s *scenario.Scenario) {
			s.Faults = append(s.Faults, scenario.Fault{Kind: "kill", On: loadService})
		}, 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := plantest.Plan(t, plantest.JWTPage, plantest.JWTScenario)
			tt.change(&p.Rehearsal)
			r := &run{plan: p, o: Options{LoadShards: tt.asked}.withDefaults(), names: logs.NewNames(p)}
			if err := r.shareLoad(); errors.Is(err, ErrNotHere) != tt.refused || !tt.refused && (err != nil || len(r.shards) != tt.want) {
				t.Errorf("got %v, %v; want %d", r.shards, err, tt.want)
			}
		})
	}
}

// TestSharesNeedNothingOfASystemThatRuns: whoever sends a part of the load to a system that is attached to
// waits for none of its services, each for itself.
func TestSharesNeedNothingOfASystemThatRuns(t *testing.T) {
	t.Parallel()
	p := plantest.Plan(t, plantest.JWTPage, plantest.JWTScenario)
	r := &run{plan: p, o: Options{LoadShards: 3}.withDefaults(), names: logs.NewNames(p), graph: &fault.Graph{}}
	if err := r.shareLoad(); err != nil {
		t.Fatal(err)
	}
	specs, err := r.loadSpecs()
	if err != nil {
		t.Fatal(err)
	}
	var endpoints []world.Endpoint
	for _, need := range specs[0].Needs[1:] {
		endpoints = append(endpoints, world.Endpoint{Service: need, URL: "http://127.0.0.1:1"})
	}
	last := specs[0].Needs[:1:1]
	for i := range specs {
		if err := addressed(&specs[i], endpoints); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(specs[i].Needs, last) {
			t.Errorf("%s needs %q, want %q", specs[i].Name, specs[i].Needs, last)
		}
	}
}
