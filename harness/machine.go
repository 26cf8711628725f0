package harness

import (
	"context"
	"errors"
	"math"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/machine"
	"github.com/rehearse-dev/rehearse/harness/world"
)

const (
	// lookAtKernel is how often the kernel is asked at first; in a long run less often, so that the
	// history has some keptLooks answers at most.
	lookAtKernel = time.Second
	keptLooks    = 500
	// changed is the least change of a share that is recorded.
	changed = 0.1
)

// machineWatch records what the machine did to a run. The judge blames a service only after it has
// looked at that: see judge/machine.go.
type machineWatch struct {
	record func(history.Event)
	offset func() history.Offset
	kernel *machine.Kernel

	began history.Offset
	next  time.Duration      // when the kernel is asked again
	last  time.Duration      // when it was asked last
	told  map[string]float64 // shares at the last event
	sums  map[string]float64 // of shares, weighed by seconds
}

// watchMachine records what the machine keeps this process from, and what the
// kernel says of it, until everything is cleaned up.
func (r *run) watchMachine(kernel *machine.Kernel) {
	ctx, cancel := context.WithCancel(context.Background())
	w := &machineWatch{record: r.evidence.Record, offset: r.evidence.Offset, kernel: kernel, sums: map[string]float64{}}
	var watching sync.WaitGroup
	watching.Go(func() { w.watch(ctx) })
	r.cleanUp("stop watching the machine", func(context.Context) error {
		cancel()
		watching.Wait()
		return nil
	})
}

// thisMachine is the kernel of the machine that the harness runs on.
func thisMachine() *machine.Kernel { return machine.NewKernel(os.DirFS("/")) }

// watch records until the context ends, and then a summary.
func (w *machineWatch) watch(ctx context.Context) {
	began := time.Now()
	w.began, w.next = w.offset(), lookAtKernel
	w.kernel.Look(0)
	passed := func() time.Duration { return time.Since(began) }
	meter := machine.Watch(ctx, passed, w.tell, w.look)
	longest, late := meter.Sum()
	w.record(history.Event{At: w.offset(), Kind: history.KindMachine, Machine: &history.Machine{
		What: history.MachineSum, Who: history.TheHarness, From: w.began, Longest: micros(longest),
		Lost: micros(time.Duration(late * float64(passed()))), Shares: w.mean(),
	}})
}

// micros is a duration as the history keeps it.
func micros(d time.Duration) history.Offset { return history.Offset(d.Truncate(time.Microsecond)) }

// tell records a strain.
func (w *machineWatch) tell(s machine.Strain) {
	w.record(history.Event{At: w.began + micros(s.Until), Kind: history.KindMachine, Machine: &history.Machine{
		What: history.MachineStrained, Who: history.TheHarness, From: w.began + micros(s.From),
		Longest: micros(s.Longest), Lost: micros(s.Lost),
	}})
}

// look asks the kernel where that is due, and records what has changed.
func (w *machineWatch) look(at time.Duration) {
	if at < w.next {
		return
	}
	shares := w.kernel.Look(at)
	from := w.began + micros(w.last)
	for what, share := range shares {
		w.sums[what] += share * (at - w.last).Seconds()
	}
	w.last, w.next = at, at+max(lookAtKernel, at/keptLooks)
	differs := w.told == nil && len(shares) > 0
	for what, share := range shares {
		differs = differs || math.Abs(share-w.told[what]) >= changed
	}
	if !differs {
		return
	}
	w.told = map[string]float64{}
	for what, share := range shares {
		w.told[what] = hundredths(share)
	}
	w.record(history.Event{At: w.began + micros(at), Kind: history.KindMachine, Machine: &history.Machine{
		What: history.MachinePressure, From: from, Shares: w.told,
	}})
}

func hundredths(share float64) float64 { return math.Round(100*share) / 100 }

// mean are the shares over the whole time.
func (w *machineWatch) mean() map[string]float64 {
	mean := map[string]float64{}
	for what, sum := range w.sums {
		mean[what] = hundredths(sum / w.last.Seconds())
	}
	return mean
}

const (
	// echoEvery is how often load is asked for an echo; echoSlow is the time from which load lacked
	// processor time; echoTimeout is how long an answer is waited for.
	echoEvery   = 250 * time.Millisecond
	echoSlow    = 500 * time.Millisecond
	echoTimeout = 2 * time.Second
	// echoLongest is the longest stretch without echo that one event tells of.
	echoLongest = 10 * time.Second
)

// echo asks load, beside its clients, for an answer that costs it nothing, and records the stretches in
// which it is slow. It returns when the context ends or load is gone. who is the load, or one of the
// processes that share it.
func (r *run) echo(ctx context.Context, who string, ask func(context.Context) error) {
	var from, longest history.Offset
	slow := false
	tell := func(until history.Offset) {
		r.evidence.Record(history.Event{At: until, Kind: history.KindMachine, Machine: &history.Machine{
			What: history.MachineStrained, Who: who, From: from, Longest: longest, Lost: until - from,
		}})
		slow, longest = false, 0
	}
	for (world.WallClock{}).Sleep(ctx, echoEvery) == nil {
		asked := r.evidence.Offset()
		limited, cancel := context.WithTimeout(ctx, echoTimeout)
		err := ask(limited)
		cancel()
		now := r.evidence.Offset()
		if ctx.Err() != nil || errors.Is(err, syscall.ECONNREFUSED) {
			break
		}
		if took := now - asked; took >= history.Offset(echoSlow) {
			if !slow {
				slow, from = true, asked
			}
			longest = max(longest, now-from)
			if now-from >= history.Offset(echoLongest) {
				tell(now)
			}
		} else if slow {
			tell(asked)
		}
	}
	if slow {
		tell(r.evidence.Offset())
	}
}

// echoAt asks a stand-in at an address whether it is there.
func echoAt(base string) func(context.Context) error {
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/healthz", nil)
		if err != nil {
			return err
		}
		resp, err := asker.Do(req)
		if err != nil {
			return err
		}
		return resp.Body.Close()
	}
}
