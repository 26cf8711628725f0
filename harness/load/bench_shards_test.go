package load

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// What the shards are held to, and how they are measured.
const (
	mostOverhead  = 1.10 // of the CPU time that one process takes for the same requests
	shardsCompare = 4
	shardsRounds  = 5
	shardsRate    = 1000 // requests a second in all: what shards share, and do not fill
)

// The variables that make the test binary a shard of a benchmark: its configuration, and
// that it is to send as fast as it can.
const (
	shardVariable    = "LOAD_BENCH_SHARD"
	saturateVariable = "LOAD_BENCH_SATURATE"
)

// serveShard is a shard, as a run starts one, until its standard input ends.
func serveShard(text string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	config, err := ParseConfig([]byte(text))
	if err != nil {
		return err
	}
	config.Shard.leaveRoom()
	for i := range config.Clients {
		config.Clients[i].unlimited = os.Getenv(saturateVariable) != ""
	}
	server := &http.Server{Handler: newService(config, slog.New(slog.DiscardHandler)).handler(), ReadHeaderTimeout: time.Second}
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

// process is a shard of a benchmark.
type process struct {
	command *exec.Cmd
	in      io.Closer
	url     string
}

func startShard(b *testing.B, config Config, saturate bool) process {
	b.Helper()
	text, err := json.Marshal(config)
	if err != nil {
		b.Fatal(err)
	}
	p := process{command: exec.Command(os.Args[0])}
	p.command.Env = append(os.Environ(), shardVariable+"="+string(text))
	if saturate {
		p.command.Env = append(p.command.Env, saturateVariable+"=1")
	}
	p.command.Stderr = os.Stderr
	if p.in, err = p.command.StdinPipe(); err != nil {
		b.Fatal(err)
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		b.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatalf("read the address of a shard: %v", err)
	}
	p.url = strings.TrimSpace(line)
	return p
}

// usage is what a process has used: CPU time and, at most, memory.
func (p process) usage(b *testing.B) (cpu time.Duration, kib int64) {
	b.Helper()
	if runtime.GOOS != "linux" {
		b.Skip("what a process uses is read from /proc")
	}
	of := func(name string) string {
		text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.command.Process.Pid), name))
		if err != nil {
			b.Fatal(err)
		}
		return string(text)
	}
	// Time on a processor in nanoseconds, of all threads, is the first figure of each
	// task's schedstat; stat has ticks of 10 ms only.
	tasks, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(p.command.Process.Pid), "task", "*", "schedstat"))
	if err != nil {
		b.Fatal(err)
	}
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue // a thread that has ended meanwhile
		}
		ran, _, _ := strings.Cut(string(text), " ")
		n, err := strconv.ParseInt(ran, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		cpu += time.Duration(n)
	}
	for line := range strings.Lines(of("status")) {
		if figure, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ = strconv.ParseInt(strings.Fields(figure)[0], 10, 64)
		}
	}
	return cpu, kib
}

func (p process) end(b *testing.B) {
	b.Helper()
	_ = p.in.Close()
	if err := p.command.Wait(); err != nil {
		b.Errorf("a shard ended with %v", err)
	}
}

// sharedRound is what a load that some shards share came to.
type sharedRound struct {
	attempts  int64
	perSecond float64
	cpuMicros float64 // of the shards, and of this process that merges, per attempt
	merge     float64 // of this process alone
	kib       int64   // of each shard, at most
	bytes     float64 // streamed, for a shard and second
	wrong     string
}

// roundOf has shards send for some time: at a rate in all or, with none, as fast as each can.
func roundOf(b *testing.B, server string, shards int, rate float64, d time.Duration) (r sharedRound) {
	b.Helper()
	config := Config{Clients: []ClientConfig{{
		Name: "bench", To: "server", URL: server, Sessions: 48, Rate: cmp.Or(rate, 1),
		Token: &TokenConfig{URL: server, Life: Duration(time.Minute)},
	}}}
	var processes []process
	var clients []*Client
	for i := range shards {
		config.Shard = Shard{Index: i, Of: shards, Here: shards}
		p := startShard(b, config, rate == 0)
		defer p.end(b)
		processes, clients = append(processes, p), append(clients, &Client{URL: p.url})
	}
	config.Shard = Shard{}
	all := NewShards(config, clients, func(l Loss) { b.Errorf("lost %+v", l) })
	var counted Counts
	var streamed bytes.Buffer
	var sent int
	var last Batch
	ended := make(chan error, 1)
	if err := all.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	own, begun := cpuTime(b), time.Now()
	used := make([]time.Duration, shards)
	for i, p := range processes {
		used[i], _ = p.usage(b)
	}
	go func() {
		ended <- all.Stream(b.Context(), func(batch Batch) error {
			for _, c := range batch.Counts {
				counted.add(c)
			}
			last = batch
			streamed.Reset()
			_ = json.NewEncoder(&streamed).Encode(batch) // in memory
			sent += streamed.Len()
			return nil
		})
	}()
	time.Sleep(d) // the measured time itself
	totals, err := all.Stop(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	took := time.Since(begun)
	merging := cpuTime(b) - own
	cpu := merging
	for i, p := range processes {
		now, kib := p.usage(b)
		cpu, r.kib = cpu+now-used[i], max(r.kib, kib)
	}
	r.attempts, r.perSecond = counted.Attempts, float64(counted.Attempts)/took.Seconds()
	r.cpuMicros, r.merge = micros(cpu)/float64(counted.Attempts), micros(merging)/float64(counted.Attempts)
	r.bytes = float64(sent) / took.Seconds()
	if totals != last.Totals || totals.Sent != counted.Attempts || totals.Scheduled-totals.Behind != counted.Attempts || counted.OK != counted.Attempts {
		r.wrong = fmt.Sprintf("totals %+v, counted %d, of which %d ok: want all the same", totals, counted.Attempts, counted.OK)
	}
	return r
}

func micros(d time.Duration) float64 { return float64(d.Microseconds()) }

// BenchmarkShards has one process and several send the same load, in turns. It fails where
// what they counted differs by more than chance (the moment at which each is told to
// stop), or where several that send as fast as they can take more than mostOverhead of the
// CPU time that one takes for a request, what merges their counts included. Processes that
// have little to do take more for each: they go to sleep and wake up. Run it with -benchtime=1x.
func BenchmarkShards(b *testing.B) {
	server := startBenchServer(b)
	for b.Loop() {
		roundOf(b, server, shardsCompare, shardsRate, time.Second) // warm
		var table strings.Builder
		w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintf(w, "round\tcounted by 1\tby %d\tbusy 1/s\tbusy %d/s\tCPU µs of 1\tof %d\tratio\t\n", shardsCompare, shardsCompare, shardsCompare)
		var ratios []float64
		var most sharedRound
		for i := range shardsRounds {
			var held, busy [2]sharedRound
			turns := []int{0, 1}
			if i%2 == 1 {
				turns = []int{1, 0}
			}
			for _, t := range turns {
				of := []int{1, shardsCompare}[t]
				held[t], busy[t] = roundOf(b, server, of, shardsRate, benchDuration), roundOf(b, server, of, 0, benchDuration)
			}
			most = busy[0]
			ratios = append(ratios, busy[1].cpuMicros/busy[0].cpuMicros)
			fmt.Fprintf(w, "%d\t%d\t%d\t%.0f\t%.0f\t%.1f\t%.1f\t%.3f\t\n", i+1, held[0].attempts, held[1].attempts,
				busy[0].perSecond, busy[1].perSecond, busy[0].cpuMicros, busy[1].cpuMicros, ratios[i])
			for _, r := range held {
				// Both are stopped by a clock: starting and stopping vary by a tenth of a second.
				if want := shardsRate * benchDuration.Seconds(); float64(r.attempts) < want || float64(r.attempts) > want+0.1*shardsRate+1 {
					b.Errorf("round %d: counted %d; want %.0f, and what is due in 0.1 s more at most", i+1, r.attempts, want)
				}
			}
			for _, r := range append(held[:], busy[:]...) {
				if r.wrong != "" {
					b.Errorf("round %d: %s", i+1, r.wrong)
				}
			}
		}
		_ = w.Flush() // into memory
		fmt.Printf("\n%d CPUs, %d requests a second or as many as can be, %v a round\n%smedian CPU ratio %.3f\n", runtime.NumCPU(), int(shardsRate), benchDuration, table.String(), median(ratios))
		fmt.Printf("one shard as fast as it can, beside the server: %.0f/s, %.1f µs of CPU a request (%.2f of them the merge's), %d MiB, %.1f KB/s of counts\n",
			most.perSecond, most.cpuMicros, most.merge, most.kib>>10, most.bytes/1000)
		b.ReportMetric(median(ratios), "cpu-ratio")
		if got := median(ratios); got > mostOverhead {
			b.Errorf("%d shards take %.3f of the CPU time of one; want at most %.2f", shardsCompare, got, mostOverhead)
		}
	}
}
