package scenario

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// result is what a run of speed 60 measured.
const result = `{"schema": "rehearse/result/v1", "speed": 60, "why": "it holds",
  "validators": [{"name": "checkout", "learned_after_ms": 500, "forgot_after_ms": -1}, {"name": "search", "learned_after_ms": 2000, "forgot_after_ms": 3000}],
  "waits_ms": [100, 100, 400], "seen_us": [[1000, 3], [9000, 1]], "none_ms": [], "many_ms": [[1, 3000000], [2, 1000000]]}`

// TestMeasuredInARun takes a distribution from a run's result.json: a time, several, a list, or a
// histogram, in page time; what is wrong is told with the file, the figure, and what there is instead.
func TestMeasuredInARun(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "example", "scenario.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, file, figure string
		want               []time.Duration // each as often as it is drawn, of a few
		problem            string
	}{
		{name: "one", figure: "validators.search.learned_after_ms", want: []time.Duration{2 * time.Minute}},
		{name: "of all", figure: "validators.*.learned_after_ms", want: []time.Duration{30 * time.Second, 2 * time.Minute}},
		{name: "a list", figure: "waits_ms", want: []time.Duration{6 * time.Second, 6 * time.Second, 24 * time.Second}},
		{name: "a histogram", figure: "seen_us", want: []time.Duration{60 * time.Millisecond, 60 * time.Millisecond, 60 * time.Millisecond, 540 * time.Millisecond}},
		{name: "never", figure: "validators.*.forgot_after_ms", problem: "validators.*.forgot_after_ms: it never came in 1 of 2"},
		{name: "no such key", figure: "validators.search.learned_afer_ms", problem: `run/result.json: validators.search has no learned_afer_ms: did you mean "learned_after_ms"?`},
		{name: "nobody of that name", figure: "validators.serach.learned_after_ms", problem: `nothing of validators is called serach: did you mean "search"?`},
		{name: "no list", figure: "speed.x_ms", problem: "speed is 60, which has no x_ms"},
		{name: "no time", figure: "why", problem: "why is no time: want a key that ends in _ms, _ns, _us"},
		{name: "an empty list", figure: "none_ms", problem: "none_ms: nothing was measured"},
		{name: "no file", file: "run/reslt.json", figure: "waits_ms", problem: "run/reslt.json"},
		{name: "no result", file: "run/other.json", figure: "waits_ms", problem: "it is no result.json of a run: its schema is rehearse/sweep/v1"},
		{name: "no JSON", file: "run/text.json", figure: "waits_ms", problem: "it is no JSON"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.file == "" {
				tt.file = "run/result.json"
			}
			vary := "vary:\n  services.auth.refresh: {measured_in: {file: " + tt.file + ", figure: \"" + tt.figure + "\"}}\n"
			l, err := Load(files(t, map[string]string{
				"scenario.yaml": string(text) + vary, "run/result.json": result, "run/other.json": `{"schema": "rehearse/sweep/v1"}`, "run/text.json": "waits",
			}), "scenario.yaml")
			if tt.problem != "" {
				if err == nil || !strings.Contains(err.Error(), tt.problem) || !strings.Contains(err.Error(), "scenario.yaml:") {
					t.Errorf("got %v, want one with its place and %q", err, tt.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []time.Duration
			for _, d := range l.Scenario.Vary["services.auth.refresh"].values() {
				got = append(got, d.Duration())
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			if drawn := l.Drawn(3).Durations()["services.auth.refresh"]; !slices.Contains(tt.want, drawn) {
				t.Errorf("drawn: got %s, want one of %v", drawn, tt.want)
			}
		})
	}
	many, err := MeasuredIn{Figure: "many_ms"}.from([]byte(result))
	if share := float64(len(slices.DeleteFunc(slices.Clone(many), func(d runbook.Duration) bool { return d.Duration() != 60*time.Millisecond }))) / float64(max(1, len(many))); err != nil || len(many) > mostMeasured+2 || share < 0.74 || share > 0.76 {
		t.Errorf("of many: got %d, of which %.3f are 60ms, %v; want at most %d, and three quarters", len(many), share, err, mostMeasured)
	}
}
