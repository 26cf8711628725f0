package load

import (
	"fmt"
	"runtime"
)

// Shard is which part of a load one of several services sends. All of them are told
// the whole load: a request of it, by its number, is sent by the shard that has its
// session, when it is due in the whole. So what the shards send together is what one
// service would, request by request, and no rate is divided.
//
//	requests   0 1 2 3 4 5 6 7 8 …      of 5 sessions, and 2 shards
//	session    1 2 3 4 5 1 2 3 4 …
//	shard      0 1 0 1 0 0 1 0 1 …
type Shard struct {
	Index int `json:"index"`
	Of    int `json:"of"` // how many there are; 0 and 1: the load is of one service
	// Here is how many of them have the processors of one machine to share; 0: it is not
	// known, and each takes what it gets.
	Here int `json:"here,omitempty"`
}

// leaveRoom has this process run on no more processors than its part of a machine has:
// four that each take all of two processors use a fifth more time for a request.
func (s Shard) leaveRoom() {
	if s.Here > 1 {
		runtime.GOMAXPROCS((runtime.NumCPU() + s.Here - 1) / s.Here)
	}
}

// String is the shard as a person counts, "2 of 4".
func (s Shard) String() string { return fmt.Sprintf("%d of %d", s.Index+1, max(s.Of, 1)) }

func (s Shard) check() error {
	if s.Of < 0 || s.Index < 0 || s.Index >= max(s.Of, 1) {
		return fmt.Errorf("shard is %d of %d; want one from 0 to below of", s.Index, s.Of)
	}
	return nil
}

// share is which of a client's requests, numbered from 0, a shard sends. They come in
// turns: of each cycle of them it sends those whose place leaves index when it is
// divided by of.
type share struct{ index, of, cycle int64 }

// share is the part of a client that a shard has. A session that has a token of its own
// is one shard's; where all sessions present the same, or nothing, each shard has all.
func (c *ClientConfig) share(s Shard) share {
	if s.Of <= 1 {
		return share{}
	}
	cycle := int64(c.Sessions)
	if !c.fetches() {
		cycle *= int64(s.Of)
	}
	return share{int64(s.Index), int64(s.Of), cycle}
}

// whole reports whether all requests are of the shard.
func (s share) whole() bool { return s.of <= 1 }

// size is how many requests of a cycle are of the shard.
func (s share) size() int64 { return s.within(s.cycle) }

// within is how many of the first n requests of a cycle are of the shard.
func (s share) within(n int64) int64 { return max(0, (n-s.index+s.of-1)/s.of) }

// fraction is how much of all requests is of the shard, in the long run.
func (s share) fraction() float64 {
	if s.whole() {
		return 1
	}
	return float64(s.size()) / float64(s.cycle)
}

// number is which of all requests is the nth of the shard, both from 0.
func (s share) number(nth int64) int64 {
	if s.whole() {
		return nth
	}
	size := s.size()
	return nth/size*s.cycle + nth%size*s.of + s.index
}

// upTo is how many of the first n requests are of the shard.
func (s share) upTo(n int64) int64 {
	if s.whole() {
		return n
	}
	return n/s.cycle*s.size() + s.within(n%s.cycle)
}
