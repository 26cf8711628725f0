package world

import "errors"

// Controls are what an operator has in reach while a rotation is under way,
// beside its commands. What is done with them is on record, with its time. They
// are safe for concurrent use.
type Controls interface {
	// Note records something that the operator did, in words: "holds before emit".
	Note(did string)
	// Faults are those that can be injected at any moment of this run.
	Faults() []Injectable
	// Inject begins to inject one of Faults and returns at once. It lasts until
	// it is undone, at the latest with the rotation, and leaves the evidence that
	// every fault does. The error is ErrNotNow where it is under way already, or
	// the rotation over.
	Inject(kind, target string) error
	// UndoFault begins to take back a fault that is under way, whoever ordered
	// it; ErrNotNow where there is none.
	UndoFault(kind, target string) error
	// Log is the end of a service's log: at most n lines, the newest last,
	// without any secret of the run.
	Log(service string, n int) []string
}

// Injectable is a fault that can be injected at any moment.
type Injectable struct {
	Kind, Target string
	Does         string // in one line
}

// ErrNotNow says that something is possible, and not at this moment.
var ErrNotNow = errors.New("not now")

// Equipped is an Operator who uses Controls. They are handed over once, before
// the first phase.
type Equipped interface {
	Equip(Controls)
}
