package history

// Unfolded has histories stay as they are recorded until the returned function is called.
func Unfolded() (again func()) {
	before := longRuns
	longRuns.every = 1 << 60
	return func() { longRuns = before }
}

// Folded is a history as one of a long run is kept, which ended long ago.
func Folded(h *History) *History {
	var last Offset
	for _, e := range h.Events {
		last = max(last, e.At)
	}
	return &History{Events: longRuns.fold(h.Events, last+longRuns.near)}
}
