package history

// The Whats of a Shard.
const (
	ShardClock = "clock" // its clock was held beside the harness's: Ahead, Within
	ShardLost  = "lost"  // it is there no more: Since, Rate
)

// Shard is what became known of one of the processes that send the load.
type Shard struct {
	What string `json:"what"`
	Of   int    `json:"of"` // how many there are
	// Ahead is by how much its clock was ahead of the harness's, or behind it by a
	// negative time, give or take Within.
	Ahead  Offset `json:"ahead_ms,omitempty"`
	Within Offset `json:"within_ms,omitempty"`
	// Since is the moment from which nothing of it is in the history; zero: from the
	// beginning. Rate is how many requests a second it was to send then.
	Since Offset  `json:"since_ms,omitempty"`
	Rate  float64 `json:"rate,omitempty"`
}

// MostApart is by how much the clocks of two machines may differ: a bucket of counts.
const MostApart = Offset(100e6)

// Apart reports whether a clock differs from the harness's by more than it may, as far as
// that was measured.
func (s *Shard) Apart() bool {
	return s.What == ShardClock && max(s.Ahead, -s.Ahead)-s.Within > MostApart
}
