package load

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// Limits that the load path is held to.
const (
	leastRatio    = 0.9     // of bare vegeta's requests per second
	mostHeapMore  = 1 << 20 // bytes of live heap between the first and the last measurement
	benchRounds   = 7
	benchDuration = 3 * time.Second
	fewAttempts   = 100_000
	manyAttempts  = 3_000_000
)

// serverVariable makes the test binary the server of a benchmark, so that its
// CPU time is not the client's.
const serverVariable = "LOAD_BENCH_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(serverVariable) != "" {
		if err := serveBench(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if config := os.Getenv(shardVariable); config != "" {
		if err := serveShard(config); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serveBench answers 204 to everything but /token, until its standard input ends.
func serveBench() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": benchToken, "expires_in": 60, "kid": "k1"})
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	fmt.Println("http://" + l.Addr().String())
	if err := server.Serve(l); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// benchToken is as long as an ES256 token with a few claims.
var benchToken = strings.Repeat("h", 90) + "." + strings.Repeat("p", 220) + "." + strings.Repeat("s", 86)

// startBenchServer starts the server in a process of its own and returns its address.
func startBenchServer(tb testing.TB) string {
	tb.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), serverVariable+"=1")
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		tb.Fatalf("open lifeline: %v", err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		tb.Fatalf("open output: %v", err)
	}
	if err := command.Start(); err != nil {
		tb.Fatalf("start server: %v", err)
	}
	tb.Cleanup(func() {
		_ = in.Close()
		if err := command.Wait(); err != nil {
			tb.Errorf("server ended with %v; want a clean end", err)
		}
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		tb.Fatalf("read address of server: %v", err)
	}
	return strings.TrimSpace(address)
}

// round is what one attack of one side came to.
type round struct {
	perSecond  float64
	cpuMicros  float64 // of this process, per attempt
	p99        time.Duration
	mismatches string // of ours, what did not agree
}

// BenchmarkAgainstVegeta holds the whole load path (sessions, tokens, pacing,
// classification, counting, streaming to a consumer) against a bare vegeta
// attack with one fixed token: in turns, in one process, against a server in
// another one. It fails where ours is slower than leastRatio or where memory
// grows with requests. Run it with -benchtime=1x.
func BenchmarkAgainstVegeta(b *testing.B) {
	server := startBenchServer(b)
	for b.Loop() {
		bareRound(b, server, time.Second) // both are warm before it counts
		oursRound(b, server, time.Second)
		var bare, ours []round
		for i := range benchRounds {
			// Who goes first changes, so that neither gains by the order.
			if i%2 == 0 {
				bare = append(bare, bareRound(b, server, benchDuration))
				ours = append(ours, oursRound(b, server, benchDuration))
			} else {
				ours = append(ours, oursRound(b, server, benchDuration))
				bare = append(bare, bareRound(b, server, benchDuration))
			}
		}
		ratio := report(b, bare, ours)
		if ratio < leastRatio {
			b.Errorf("the load path makes %.3f of bare vegeta's requests per second; want at least %.2f", ratio, leastRatio)
		}
	}
}

// report prints the table and returns the median of the rounds' ratios.
func report(b *testing.B, bare, ours []round) float64 {
	b.Helper()
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "round\tbare req/s\tours req/s\tratio\tbare CPU µs\tours CPU µs\tbare p99\tours p99\t")
	var ratios, cpu []float64
	for i := range ours {
		ratios = append(ratios, ours[i].perSecond/bare[i].perSecond)
		cpu = append(cpu, ours[i].cpuMicros/bare[i].cpuMicros)
		fmt.Fprintf(w, "%d\t%.0f\t%.0f\t%.3f\t%.1f\t%.1f\t%v\t%v\t\n", i+1,
			bare[i].perSecond, ours[i].perSecond, ratios[i], bare[i].cpuMicros, ours[i].cpuMicros,
			bare[i].p99.Round(10*time.Microsecond), ours[i].p99.Round(10*time.Microsecond))
		if ours[i].mismatches != "" {
			b.Errorf("round %d: %s", i+1, ours[i].mismatches)
		}
	}
	_ = w.Flush() // into memory
	// Not b.Logf, which cuts off what is longer than ten lines.
	fmt.Printf("\n%d CPUs, %d workers, %v a round\n%smedian ratio %.3f, median CPU per attempt %.3f of bare\n",
		runtime.NumCPU(), firstWorkers, benchDuration, table.String(), median(ratios), median(cpu))
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(median(cpu), "cpu-ratio")
	return median(ratios)
}

func median(values []float64) float64 {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}

// bareRound is vegeta as its library offers it: the same workers, one token.
func bareRound(b *testing.B, server string, d time.Duration) round {
	b.Helper()
	attacker := vegeta.NewAttacker(vegeta.Workers(firstWorkers), vegeta.MaxWorkers(firstWorkers))
	target := vegeta.NewStaticTargeter(vegeta.Target{
		Method: http.MethodGet, URL: server + "/",
		Header: http.Header{"Authorization": {"Bearer " + benchToken}, "User-Agent": {"rehearse-load/bench"}},
	})
	cpu, begun := cpuTime(b), time.Now()
	var micros history.Latencies
	var n int64
	for result := range attacker.Attack(target, vegeta.Rate{}, d, "") {
		if result.Code != http.StatusNoContent {
			b.Fatalf("bare vegeta got %d %s; want 204", result.Code, result.Error)
		}
		micros.Add(result.Latency.Microseconds())
		n++
	}
	return round{
		perSecond: float64(n) / time.Since(begun).Seconds(),
		cpuMicros: float64((cpuTime(b) - cpu).Microseconds()) / float64(n),
		p99:       quantile(micros.Pairs(), 0.99),
	}
}

// oursRound is the service as a run uses it, with its consumer.
func oursRound(b *testing.B, server string, d time.Duration) round {
	b.Helper()
	config := Config{Clients: []ClientConfig{{
		Name: "bench", To: "server", URL: server, Sessions: 50, unlimited: true,
		Token: &TokenConfig{URL: server, Life: Duration(time.Minute)},
	}}}
	config.fill()
	s := newService(config, history.NewLogger(io.Discard, "load"))
	endpoint := httptest.NewServer(s.handler())
	defer endpoint.Close()
	client := &Client{URL: endpoint.URL}
	var counted Counts
	var last Batch
	streamed := make(chan error, 1)
	go func() {
		streamed <- client.Stream(b.Context(), func(batch Batch) error {
			for _, c := range batch.Counts {
				counted.Attempts += c.Attempts
				counted.OK += c.OK
				counted.Latency = append(counted.Latency, c.Latency...)
			}
			last = batch
			return nil
		})
	}()
	cpu, begun := cpuTime(b), time.Now()
	if err := client.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	time.Sleep(d) // the measured time itself
	totals, err := client.Stop(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	took, used := time.Since(begun), cpuTime(b)-cpu
	if err := <-streamed; err != nil {
		b.Fatal(err)
	}
	r := round{
		perSecond: float64(counted.Attempts) / took.Seconds(),
		cpuMicros: float64(used.Microseconds()) / float64(counted.Attempts),
		p99:       quantile(counted.Latency, 0.99),
	}
	if totals != last.Totals || totals.Scheduled != counted.Attempts || counted.OK != counted.Attempts {
		r.mismatches = fmt.Sprintf("totals %+v, counted %d of which %d ok; want all the same", totals, counted.Attempts, counted.OK)
	}
	return r
}

// BenchmarkMemory records attempts through the transport (everything but the
// network), drains them as a consumer does, and compares the live heap after
// few and after many. Run it with -benchtime=1x.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		config := Config{Clients: []ClientConfig{{Name: "bench", To: "server", URL: "http://server.test", Sessions: 50, Rate: 1}}}
		config.fill()
		traffic := newTraffic(config, slog.New(slog.DiscardHandler))
		c := traffic.clients[0]
		if err := traffic.firstTokens(context.Background(), c); err != nil {
			b.Fatal(err)
		}
		sender := traffic.transport(c)
		sender.wire = answerer(http.StatusUnauthorized) // the outcome that keeps most: examples, sessions, moments
		request, err := http.NewRequest(http.MethodGet, config.Clients[0].target(), nil)
		if err != nil {
			b.Fatal(err)
		}
		var after [2]uint64
		sent := 0
		for i, until := range []int{fewAttempts, manyAttempts} {
			for ; sent < until; sent++ {
				if _, err := sender.RoundTrip(request); err != nil {
					b.Fatal(err)
				}
				if sent%10_000 == 0 {
					traffic.flush(false)
					if err := traffic.out.forget(traffic.out.seq); err != nil {
						b.Fatal(err)
					}
				}
			}
			after[i] = liveHeap()
		}
		runtime.KeepAlive(traffic)
		fmt.Printf("\nlive heap after %d attempts: %d KiB; after %d: %d KiB\n", fewAttempts, after[0]>>10, manyAttempts, after[1]>>10)
		if after[1] > after[0]+mostHeapMore {
			b.Errorf("live heap grew by %d KiB; want at most %d", (after[1]-after[0])>>10, mostHeapMore>>10)
		}
	}
}

// answerer is a wire that answers a status at once.
type answerer int

func (a answerer) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: int(a), Body: http.NoBody, Header: http.Header{}}, nil
}

// liveHeap is what is reachable: two collections, so that what pools kept is gone.
func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		tb.Fatalf("read CPU time: %v", err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// quantile of [microseconds, count] pairs in any order.
func quantile(pairs [][2]int64, q float64) time.Duration {
	slices.SortFunc(pairs, func(a, b [2]int64) int { return cmp.Compare(a[0], b[0]) })
	var total, seen int64
	for _, p := range pairs {
		total += p[1]
	}
	for _, p := range pairs {
		if seen += p[1]; float64(seen) >= q*float64(total) {
			return time.Duration(p[0]) * time.Microsecond
		}
	}
	return 0
}
