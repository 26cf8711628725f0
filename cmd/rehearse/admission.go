package main

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/machine"
	"github.com/rehearse-dev/rehearse/harness/world"
)

const (
	// roomShare is the pressure (the share of time in which somebody waits for a processor) from which
	// a machine has no room for another rehearsal. One rehearsal alone on two processors causes some
	// 0.3; from 0.6 on the judge attributes late answers to the machine.
	roomShare = 0.5
	// roomLook is the time over which that is measured.
	roomLook = time.Second
	// settling is how long a rehearsal gets to start its services before the next may begin: starting
	// them is most of the work.
	settling = 4 * time.Second
)

// admission lets rehearsals begin one after the other: the first at once, each other when
// the machine has room for it. What is timed on a machine without room is void.
type admission struct {
	// pressed is the pressure since the last call; 0 where the kernel does not tell.
	pressed func() float64

	turn  sync.Mutex // of whoever waits to begin
	begun time.Time  // when the last one did

	mu      sync.Mutex
	running int // how many have begun and not ended
}

// newAdmission watches the processors of this machine.
func newAdmission() *admission {
	kernel, began := machine.NewKernel(os.DirFS("/")), time.Now()
	return &admission{pressed: func() float64 { return kernel.Look(time.Since(began))[machine.CPU] }}
}

// enter returns when one more may begin, or the context has ended. Each call needs a leave.
func (r *admission) enter(ctx context.Context) {
	r.turn.Lock()
	defer r.turn.Unlock()
	for r.taken() && ctx.Err() == nil {
		r.pressed() // resets the measurement
		_ = world.WallClock{}.Sleep(ctx, roomLook)
		if pressed := r.pressed(); pressed < roomShare && time.Since(r.begun) >= settling {
			break
		}
	}
	r.begun = time.Now()
	r.count(1)
}

// leave reports that a rehearsal has ended.
func (r *admission) leave() { r.count(-1) }

func (r *admission) count(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running += n
}

// taken reports whether a rehearsal runs.
func (r *admission) taken() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.running > 0
}
