package load

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/world"
)

// shared runs the services of a load that is shared.
func shared(t *testing.T, config Config, of int, lost func(Loss)) *Shards {
	t.Helper()
	var clients []*Client
	for i := range of {
		config.Shard = Shard{Index: i, Of: of}
		client, _ := serveTo(t, "control", config)
		clients = append(clients, client)
	}
	config.Shard = Shard{}
	return NewShards(config, clients, lost)
}

// until waits for something, for half a minute at most.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited 30s until %s", what)
		}
		_ = world.WallClock{}.Sleep(t.Context(), 5*time.Millisecond)
	}
}

// addedUp is what all batches counted.
func addedUp(batches []Batch) (sum Counts) {
	for _, b := range batches {
		for _, c := range b.Counts {
			sum.add(c)
		}
	}
	return sum
}

// TestShardsAreAsOne: several services send what one would, and their totals and counts
// agree with each other and with who served them.
func TestShardsAreAsOne(t *testing.T) {
	for _, of := range []int{1, 3, 4} {
		stage := newStage(t)
		config := Config{Clients: []ClientConfig{
			{Name: "web", To: "shop", URL: stage.URL, Rate: 300, Sessions: 10, Token: &TokenConfig{URL: stage.URL, Life: Duration(time.Minute)}},
			{Name: "bare", To: "shop", URL: stage.URL, Rate: 100},
		}}
		shards := shared(t, config, of, func(l Loss) { t.Errorf("%d shards: lost %+v", of, l) })
		if err := shards.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		var batches []Batch
		streamed := make(chan error, 1)
		go func() {
			streamed <- shards.Stream(t.Context(), func(b Batch) error {
				batches = append(batches, b)
				return nil
			})
		}()
		until(t, "200 were served", func() bool { return stage.served.Load() >= 200 })
		for i := range of {
			if ahead, within, err := shards.Clock(t.Context(), i); err != nil || within <= 0 || ahead.Abs() > within+time.Second {
				t.Errorf("clock of shard %d: got %v give or take %v, %v", i, ahead, within, err)
			}
		}
		if err := shards.SetRate(t.Context(), "bare", 0); err != nil {
			t.Error(err)
		}
		totals, err := shards.Stop(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := <-streamed; err != nil {
			t.Fatal(err)
		}
		sum := addedUp(batches)
		served := stage.served.Load()
		if totals.Sent != served || totals.Recorded != served || sum.Attempts != served || sum.OK != served || totals.Scheduled-totals.Behind != served {
			t.Errorf("%d shards: got totals %+v and %d counted, want %d that were served", of, totals, sum.Attempts, served)
		}
		if last := batches[len(batches)-1]; !last.Final || last.Totals != totals {
			t.Errorf("%d shards: got last batch %+v, want it final, with %+v", of, last, totals)
		}
		at := int64(0)
		for _, b := range batches {
			for _, c := range b.Counts {
				if c.At < at {
					t.Fatalf("%d shards: a bucket of %d comes after one of %d", of, c.At, at)
				}
				at = c.At
			}
		}
	}
}

// TestLostShardIsTold: one that is there no more is told of, with what it was to send, and
// the others go on.
func TestLostShardIsTold(t *testing.T) {
	stage := newStage(t)
	config := Config{Clients: []ClientConfig{
		{Name: "web", To: "shop", URL: stage.URL, Rate: 400, Sessions: 8, Token: &TokenConfig{URL: stage.URL, Life: Duration(time.Minute)}},
	}}
	lost := make(chan Loss, 4)
	shards := shared(t, config, 4, func(l Loss) { lost <- l })
	if err := shards.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	counted := make(chan Batch, 10_000)
	streamed := make(chan error, 1)
	go func() {
		streamed <- shards.Stream(ctx, func(b Batch) error {
			counted <- b
			return nil
		})
	}()
	<-counted
	died := errors.New("signal: killed")
	shards.Gone(2, died)
	l := <-lost
	if l.Shard != 2 || l.Rate != 100 || !errors.Is(l.Err, died) || l.Since.IsZero() {
		t.Errorf("got %+v, want shard 2 with its 100 a second", l)
	}
	if err := shards.SetRate(t.Context(), "web", 40); err != nil {
		t.Errorf("change the rate of those that are left: %v", err)
	}
	if _, err := shards.Stop(t.Context()); err != nil {
		t.Errorf("stop those that are left: %v", err)
	}
	if err := <-streamed; !errors.Is(err, ErrLost) || !strings.Contains(err.Error(), "3 of 4") {
		t.Errorf("got %v, want that a part was lost", err)
	}
	var last Batch
	for len(counted) > 0 {
		last = <-counted
	}
	if !last.Final {
		t.Errorf("got last batch %+v, want it final", last)
	}
	if len(lost) != 0 {
		t.Errorf("%d more were lost", len(lost))
	}
}

// TestShardThatStandsStillIsLost: one that takes connections and says nothing, as one whose
// process is stopped or whose machine is gone, is waited for for a while only.
func TestShardThatStandsStillIsLost(t *testing.T) {
	still, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer still.Close()
	stage := newStage(t)
	lost := make(chan Loss, 2)
	config := Config{Clients: []ClientConfig{{Name: "web", To: "shop", URL: stage.URL, Rate: 100, Sessions: 2}}}
	works, _ := serveTo(t, "control", Config{Clients: config.Clients, Shard: Shard{Index: 0, Of: 2}})
	stands := &Client{URL: "http://" + still.Addr().String(), patience: time.Millisecond}
	shards := NewShards(config, []*Client{works, stands}, func(l Loss) { lost <- l })
	if err := works.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	streamed := make(chan error, 1)
	go func() { streamed <- shards.Stream(t.Context(), func(Batch) error { return nil }) }()
	if l := <-lost; l.Shard != 1 || l.Rate != 50 || !l.Since.IsZero() || !errors.Is(l.Err, errStill) {
		t.Errorf("got %+v, want the second, which never counted", l)
	}
	if _, err := shards.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-streamed; !errors.Is(err, ErrLost) {
		t.Errorf("got %v, want that a part was lost", err)
	}
}
