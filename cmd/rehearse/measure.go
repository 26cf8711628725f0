package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// measuredScenario is rehearsed to find the rate that a machine sustains: load, a service, and an
// authority behind it, for some fifteen seconds at each rate.
const measuredScenario = "api-key/healthy"

const (
	// firstRate is the first rate, which is doubled as long as it is sustained.
	firstRate = 100
	lastRate  = 51_200
	// heldEnough is the share of due requests that must have been begun and answered.
	heldEnough = 0.99
)

// measureRate rehearses at rising rates until one is not sustained, and prints the last that was.
func measureRate(ctx context.Context, w io.Writer, rehearse func(ctx context.Context, rate float64) (*harness.Result, error)) error {
	held := 0.0
	for rate := float64(firstRate); rate <= lastRate; rate *= 2 {
		outcome, err := rehearse(ctx, rate)
		if err != nil {
			return fmt.Errorf("measure at %.0f/s: %w", rate, err)
		}
		why := lacking(outcome.History)
		if why != "" {
			fmt.Fprintf(w, "%.0f/s\tnot held: %s\n", rate, why)
			break
		}
		fmt.Fprintf(w, "%.0f/s\theld\n", rate)
		held = rate
	}
	if held == 0 {
		fmt.Fprintf(w, "this machine\tdoes not hold %d/s now: free it of other work, and measure again\n", firstRate)
		return nil
	}
	fmt.Fprintf(w, "this machine\tholds %.0f/s in all, for clients, services and authorities together; a scenario with more of them holds less\n", held)
	return nil
}

// lacking says which requests, answers or running time of sustained load a history lacks; empty: none.
func lacking(h *history.History) string {
	var due, sent, lost, answered int64
	strained := ""
	for _, e := range h.Events {
		switch {
		case e.Kind == history.KindMachine && e.Machine != nil && e.Machine.What == history.MachineSum:
			due, sent = due+e.Machine.Due, sent+e.Machine.Sent
		case e.Kind == history.KindMachine && e.Machine != nil && e.Machine.What == history.MachineStrained:
			strained = fmt.Sprintf("%s was kept from running for %s", e.Machine.Who, e.Machine.Lost.Wall())
		case e.Kind == history.KindCounts && e.Counts != nil && e.Counts.Source == history.FromLoad:
			lost, answered = lost+e.Counts.Unavailable+e.Counts.HarnessErrors, answered+e.Counts.OK
		}
	}
	switch {
	case due == 0 || float64(sent) < heldEnough*float64(due):
		return fmt.Sprintf("%d of %d requests that were due were begun", sent, due)
	case float64(answered) < heldEnough*float64(answered+lost):
		return fmt.Sprintf("%d of %d had no answer", lost, answered+lost)
	}
	return strained
}

// rehearseAt rehearses at one rate, in processes, in a folder that is removed.
func rehearseAt(ctx context.Context, rate float64) (*harness.Result, error) {
	loaded, err := loadScenario(measuredScenario)
	if err != nil {
		return nil, err
	}
	for i := range loaded.Scenario.Load {
		loaded.Scenario.Load[i].Rate = scenario.Rate(rate / float64(len(loaded.Scenario.Load)))
	}
	p, err := plan.Build(loaded, plan.Options{Gates: scenario.Off})
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "rehearse-measure-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	return harness.Run(ctx, p, harness.Options{
		Runtime: harness.Process, Store: harness.Embedded, Folder: filepath.Join(folder, strconv.FormatFloat(rate, 'f', 0, 64)),
	})
}
