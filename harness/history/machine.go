package history

// MachineKind says what a Machine tells, and which of its parts are set.
type MachineKind string

// What is told of the machine that a run was on.
const (
	// MachineStrained: Who was kept from running since From: Longest, Lost.
	MachineStrained MachineKind = "strained"
	// MachineBehind: the client Who sent fewer requests than were due since From:
	// Due, Sent, Full.
	MachineBehind MachineKind = "behind"
	// MachinePressure: what the kernel says since From, where that has changed: Shares.
	MachinePressure MachineKind = "pressure"
	// MachineSum: what is to be said of Who over the whole run: Longest, Lost,
	// and of the harness what the kernel says, Shares.
	MachineSum MachineKind = "sum"
)

// Who can be kept from running, beside clients by their names.
const (
	TheHarness = "the harness"
	TheLoad    = "the load"
)

// Machine is what the machine kept a run from, or was like meanwhile. A stretch
// ends with the offset of its event.
type Machine struct {
	What MachineKind `json:"what"`
	Who  string      `json:"who,omitempty"`
	From Offset      `json:"from_ms"`
	// Longest is by how much one tick was late, or for how long an answer was
	// waited for; Lost is by how much all ticks were late together.
	Longest Offset `json:"longest_ms,omitempty"`
	Lost    Offset `json:"lost_ms,omitempty"`
	// Due are the first attempts that were due by the plan's rate, Sent those that
	// were begun. Full says that as many waited for an answer as a client can have
	// under way: then it need not be the machine that kept it.
	Due  int64 `json:"due,omitempty"`
	Sent int64 `json:"sent,omitempty"`
	Full bool  `json:"full,omitempty"`
	// Shares are of the time, by the names of package machine.
	Shares map[string]float64 `json:"shares,omitempty"`
}
