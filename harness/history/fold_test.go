package history

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"reflect"
	"runtime"
	"testing"
	"time"
)

const tenth = Offset(100 * time.Millisecond)

// bucketOf is a tenth of a second in which attempts were made, and some refused.
func bucketOf(at Offset, client string, attempts, refused int64) Event {
	return Event{At: at, Kind: KindCounts, Counts: &Counts{
		Source: FromLoad, Presenter: client, Validator: "checkout", Credential: "k1", Width: tenth,
		Attempts: attempts, OK: attempts - refused, AuthFailures: refused, FirstFailure: at * Offset(min(refused, 1)), LastFailure: at * Offset(min(refused, 1)),
		Statuses: map[string]int64{"200": attempts - refused}, Latency: [][2]int64{{800 + int64(at/tenth)%7, attempts}}, LongestLife: at,
	}}
}

// minutes is a history of so many minutes of load, ten buckets a second.
func minutes(n int, more ...Event) []Event {
	events := append([]Event{{Kind: KindPlan, Plan: json.RawMessage("{}")}}, more...)
	for at := Offset(0); at < Offset(n)*Offset(time.Minute); at += tenth {
		events = append(events, bucketOf(at, "web", 10, 0))
	}
	return events
}

func countsOf(events []Event) (buckets int, sum Counts) {
	for _, e := range events {
		if e.Kind == KindCounts {
			buckets++
			sum.Add(e.Counts)
		}
	}
	return buckets, sum
}

func TestFoldKeepsWhatWasCounted(t *testing.T) {
	events := minutes(30, Event{At: Offset(15 * time.Minute), Kind: KindStep, Step: "emit", Credential: "k2"})
	first := events[2].Counts
	was := *first
	before, whole := countsOf(events)
	folded := longRuns.fold(events, Offset(25*time.Minute))
	after, sum := countsOf(folded)
	// 0–2 and 13–17 are near to what happened, 25–30 is not old enough: 11 minutes
	// are fine, and 19 are one bucket each (and one at either edge).
	if want := 11*600 + 19; after < want || after > want+6 {
		t.Errorf("%d buckets became %d, want about %d", before, after, want)
	}
	whole.Latency, sum.Latency = MergeLatency(nil, byValue(whole.Latency)), MergeLatency(nil, byValue(sum.Latency))
	if !reflect.DeepEqual(sum, whole) {
		t.Errorf("it sums up to %+v, want %+v", sum, whole)
	}
	if !reflect.DeepEqual(*first, was) {
		t.Errorf("what listeners were told has changed to %+v", *first)
	}
	if again, _ := countsOf(longRuns.fold(folded, Offset(25*time.Minute))); again != after {
		t.Errorf("folded twice it has %d buckets, want %d", again, after)
	}
}

// byValue is a histogram by value, each value once.
func byValue(pairs [][2]int64) [][2]int64 {
	var all [][2]int64
	for _, p := range pairs {
		all = MergeLatency(all, [][2]int64{p})
	}
	return all
}

func TestFoldKeepsWhatHappenedFine(t *testing.T) {
	for _, tt := range []struct {
		name string
		of   func(at Offset) Event
		fine bool
	}{
		{"a failure", func(at Offset) Event { return bucketOf(at, "web", 10, 1) }, true},
		{"a failure of another", func(at Offset) Event { return bucketOf(at, "bot", 10, 1) }, true},
		{"a phase", func(at Offset) Event { return Event{At: at, Kind: KindPhase, Phase: Emit} }, true},
		{"a fault", func(at Offset) Event { return Event{At: at, Kind: KindFault, Fault: &Fault{Kind: "kill"}} }, true},
		{"a machine that stood still", func(at Offset) Event {
			return Event{At: at, Kind: KindMachine, Machine: &Machine{What: MachineStrained, From: at}}
		}, true},
		{"a fetch", func(at Offset) Event { return Event{At: at, Kind: KindFetched, Service: "checkout"} }, false},
		{"a look", func(at Offset) Event { return Event{At: at, Kind: KindLooked, Service: "auth"} }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			middle := Offset(10 * time.Minute)
			events := minutes(20)
			events = append(events[:6001:6001], append([]Event{tt.of(middle)}, events[6001:]...)...)
			fine := 0
			for _, e := range longRuns.fold(events, Offset(20*time.Minute)) {
				if e.Kind == KindCounts && e.Counts.Width == tenth && e.At > middle-Offset(time.Minute) && e.At < middle+Offset(time.Minute) {
					fine++
				}
			}
			if (fine > 1000) != tt.fine {
				t.Errorf("%d buckets of a tenth are around it, want them kept: %t", fine, tt.fine)
			}
		})
	}
}

// That a client was silent stays to be seen.
func TestFoldKeepsSilence(t *testing.T) {
	events := minutes(10)
	silent := Offset(5*time.Minute) + Offset(20*time.Second)
	kept := events[:0]
	for _, e := range events {
		if e.Kind != KindCounts || e.At < silent || e.At >= silent+3*slice {
			kept = append(kept, e)
		}
	}
	var last, longest Offset
	for _, e := range longRuns.fold(kept, Offset(10*time.Minute)) {
		if e.Kind == KindCounts {
			longest, last = max(longest, e.At-last), e.At+e.Counts.Width
		}
	}
	if longest != 3*slice {
		t.Errorf("the longest silence is %s, want the 3s that there were", longest.Wall())
	}
}

func TestSlices(t *testing.T) {
	for _, tt := range []struct {
		name     string
		c        Counts
		slices   int
		smallest int64
	}{
		{"of a tenth", Counts{Width: tenth, Attempts: 7, OK: 7}, 1, 7},
		{"of a minute", Counts{Width: Offset(time.Minute), Attempts: 605, OK: 605}, 60, 10},
		{"of less than one a second", Counts{Width: Offset(59500 * time.Millisecond), Attempts: 30, OK: 30}, 30, 1},
		{"with a failure", Counts{Width: Offset(time.Minute), Attempts: 605, OK: 604, AuthFailures: 1}, 1, 605},
		{"of a day", Counts{Width: Offset(24 * time.Hour), Attempts: 12_800, OK: 12_800}, mostSlices, 100},
		{"of a hundred years", Counts{Width: Offset(math.MaxInt64 / 2), Attempts: 5, OK: 5}, 5, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.c.Statuses, tt.c.Latency = map[string]int64{"200": tt.c.Attempts}, [][2]int64{{800, tt.c.Attempts}}
			var sum Counts
			n, begin := 0, Offset(12345)
			next := begin
			for at, part := range tt.c.Slices(begin) {
				if at < next || part.Attempts < tt.smallest || part.Attempts > tt.smallest+1 {
					t.Errorf("slice %d is at %s with %d attempts, want it from %s on with %d or one more", n, at.Wall(), part.Attempts, next.Wall(), tt.smallest)
				}
				sum.Add(part)
				next = at + part.Width
				n++
			}
			if n != tt.slices || next > begin+tt.c.Width || sum.Attempts != tt.c.Attempts || sum.OK != tt.c.OK || sum.AuthFailures != tt.c.AuthFailures || sum.Statuses["200"] != tt.c.Attempts {
				t.Errorf("got %d slices with %+v, want %d with all of %+v", n, sum, tt.slices, tt.c)
			}
		})
	}
}

// TestWideBucketsAreDivided wants of a wide bucket what came in a stretch, so that all
// stretches together have all of it, wherever they are cut; of another its beginning counts.
func TestWideBucketsAreDivided(t *testing.T) {
	v := NewView()
	key := CellKey{FromLoad, "web", "checkout", "k1"}
	for _, b := range []struct {
		at, width        Offset
		attempts, failed int64
	}{{0, tenth, 3, 0}, {tenth, Offset(time.Hour), 36_000, 0}, {tenth + Offset(time.Hour), Offset(time.Minute), 600, 600}} {
		v.Apply(Event{At: b.at, Kind: KindCounts, Counts: &Counts{
			Source: key.Source, Presenter: key.Presenter, Validator: key.Validator, Credential: key.Credential, Width: b.width,
			Attempts: b.attempts, OK: b.attempts - b.failed, AuthFailures: b.failed, Statuses: map[string]int64{"200": b.attempts},
		}})
	}
	for _, tt := range []struct {
		name     string
		from, to Offset
		want     int64
	}{
		{"all", 0, Offset(2 * time.Hour), 36_603},
		{"a tenth in the middle", Offset(30 * time.Minute), Offset(30*time.Minute) + tenth, 1},
		{"a minute in the middle", Offset(30 * time.Minute), Offset(31 * time.Minute), 600},
		{"its end and what failed", Offset(60 * time.Minute), Offset(61 * time.Minute), 601},
		{"from within what failed on", Offset(61 * time.Minute), Offset(62 * time.Minute), 0},
		{"nothing", Offset(time.Minute), Offset(time.Minute), 0},
	} {
		if got := v.Sum(key, tt.from, tt.to); got.Attempts != tt.want || got.Statuses["200"] != tt.want {
			t.Errorf("%s: got %d attempts and %v, want %d", tt.name, got.Attempts, got.Statuses, tt.want)
		}
	}
	var all int64
	for cut := Offset(0); cut < Offset(2*time.Hour); cut += Offset(777 * time.Millisecond) {
		part := v.Sum(key, cut, cut+Offset(777*time.Millisecond))
		all += part.Attempts
	}
	if all != 36_603 {
		t.Errorf("in parts there are %d attempts, want all 36,603", all)
	}
}

// A run and whoever reads its file have the same history.
func TestAFileIsFoldedAsItsRunWas(t *testing.T) {
	var file bytes.Buffer
	r := NewRecorder(time.Now(), &file)
	for _, e := range minutes(90) {
		r.Record(e)
	}
	viewed := len(r.view.Cells[CellKey{FromLoad, "web", "checkout", "k1"}])
	h, err := r.Close(0)
	if err != nil {
		t.Fatal(err)
	}
	read, err := Read(&file)
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Events) > 30_000 || viewed > 30_000 {
		t.Errorf("%d events and %d buckets in the view are kept of 54,000, want most of them folded", len(h.Events), viewed)
	}
	if got, want := asJSON(t, read.Events), asJSON(t, h.Events); got != want {
		t.Error("what is read is not what the run had")
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// theDay is load of a day in virtual time: 1,000 requests a second of four clients,
// a poll of each of two services every half minute, and five minutes of refusals.
func theDay(each func(Event)) {
	const day = Offset(24 * time.Hour)
	each(Event{Kind: KindPlan, Plan: json.RawMessage("{}")})
	for at := Offset(0); at < day; at += tenth {
		for c := range 4 {
			refused := int64(0)
			if hour := at / Offset(time.Hour); c == 1 && hour == 13 && at%Offset(time.Hour) < Offset(5*time.Minute) {
				refused = 5
			}
			each(bucketOf(at, fmt.Sprint("client-", c), 25, refused))
		}
		if at%Offset(30*time.Second) == 0 {
			each(Event{At: at, Kind: KindFetched, Service: "checkout", Credentials: []string{"k1"}, Holds: []string{"k1"}})
			each(Event{At: at, Kind: KindLoaded, Service: "auth", Credentials: []string{"k1"}, Credential: "k1"})
		}
	}
}

// heap is what is in use, in MiB, once all else is collected.
func heap() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}

// mostOfADay is what the history of a day may take, in MiB, with the view beside it.
const mostOfADay = 200

// BenchmarkADay records a day, and fails where it takes more memory than it may.
func BenchmarkADay(b *testing.B) {
	for b.Loop() {
		before := heap()
		r, n := NewRecorder(time.Now(), nil), 0
		peak := 0.0
		theDay(func(e Event) {
			r.Record(e)
			if n++; n%500_000 == 0 {
				peak = max(peak, heap()-before)
			}
		})
		if peak = max(peak, heap()-before); peak > mostOfADay {
			b.Errorf("a day of 1,000 requests a second takes %.0f MiB, want %d at most", peak, mostOfADay)
		}
		b.ReportMetric(peak, "MiB")
		b.ReportMetric(float64(n), "events")
		runtime.KeepAlive(r)
	}
}

// BenchmarkReadADay reads 300 MB of the file of such a day.
func BenchmarkReadADay(b *testing.B) {
	const size = 300 << 20
	for b.Loop() {
		before := heap()
		from, to := io.Pipe()
		go func() {
			out, done := json.NewEncoder(to), false
			theDay(func(e Event) {
				if !done {
					done = out.Encode(e) != nil // its reader has enough
				}
			})
			to.Close()
		}()
		h, err := Read(&whole{Reader: from, left: size})
		from.Close()
		if err != nil {
			b.Fatal(err)
		}
		if took := heap() - before; took > mostOfADay {
			b.Errorf("300 MB of events take %.0f MiB, want %d at most", took, mostOfADay)
		} else {
			b.ReportMetric(took, "MiB")
		}
		b.SetBytes(size)
		runtime.KeepAlive(h)
	}
}

// whole reads lines until so many bytes were read.
type whole struct {
	io.Reader
	left int
}

func (w *whole) Read(p []byte) (int, error) {
	if w.left <= 0 {
		return 0, io.EOF
	}
	n, err := w.Reader.Read(p)
	if w.left -= n; w.left <= 0 {
		if end := bytes.LastIndexByte(p[:n], '\n'); end >= 0 {
			n = end + 1
		}
	}
	return n, err
}
