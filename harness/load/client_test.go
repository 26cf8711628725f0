package load

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// cutter passes a stream on and breaks it after some bytes, each time a few more:
// of a batch that a busy machine made long there would otherwise never be an end.
func cutter(t *testing.T, target string, after int64) string {
	t.Helper()
	var cuts atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		after := after * cuts.Add(1)
		req, err := http.NewRequestWithContext(r.Context(), r.Method, target+r.URL.String(), nil)
		if err != nil {
			t.Error(err)
			return
		}
		resp, err := direct.Do(req)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		w.WriteHeader(resp.StatusCode)
		buffer := make([]byte, 512)
		for passed := int64(0); passed < after; {
			n, err := resp.Body.Read(buffer)
			passed += int64(n)
			_, _ = w.Write(buffer[:n])
			_ = http.NewResponseController(w).Flush()
			if err != nil {
				return
			}
		}
		panic(http.ErrAbortHandler) // cuts the connection in the middle of a batch
	}))
	t.Cleanup(proxy.Close)
	return proxy.URL
}

func TestStreamLosesNothing(t *testing.T) {
	stage := newStage(t)
	stage.refused.Store("k1")
	client, _ := serve(t, Config{Bucket: Duration(5 * time.Millisecond), Clients: []ClientConfig{{
		Name: "web", To: "checkout", URL: stage.URL, Rate: 500, Sessions: 5,
		Token: &TokenConfig{URL: stage.URL, Life: Duration(time.Minute)},
	}}})
	if err := client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "load runs before anybody drains it", func() bool { return stage.served.Load() > 50 })

	broken := &Client{URL: cutter(t, client.URL, 4000)}
	var batches []Batch
	errEnough := errors.New("enough")
	take := func(upTo int) error {
		return broken.Stream(t.Context(), func(b Batch) error {
			if len(batches) == upTo {
				return errEnough // this one is not received: it comes again
			}
			batches = append(batches, b)
			return nil
		})
	}
	for _, upTo := range []int{3, 3, 40} {
		if err := take(upTo); !errors.Is(err, errEnough) {
			t.Fatalf("stream up to %d: got %v; want the error of its consumer", upTo, err)
		}
	}
	totals, err := client.Stop(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := take(-1); err != nil {
		t.Fatal(err)
	}
	for i, b := range batches {
		if b.Seq != int64(i)+1 {
			t.Fatalf("batch %d has number %d; want each once and in order", i+1, b.Seq)
		}
	}
	checkTotals(t, totals, batches, stage.served.Load())
}

func ExampleClient() {
	ctx := context.Background()
	client := &Client{URL: "http://127.0.0.1:8080"}
	done := make(chan error, 1)
	go func() {
		done <- client.Stream(ctx, func(b Batch) error {
			fmt.Println(b.Seq, len(b.Counts))
			return nil
		})
	}()
	if err := client.Start(ctx); err != nil {
		fmt.Println(err)
	}
	// …
	if _, err := client.Stop(ctx); err != nil {
		fmt.Println(err)
	}
	if err := <-done; err != nil { // nil after the final batch
		fmt.Println(err)
	}
}
