package reports

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/reports/chart"
)

func wholeChart(m *Model) *chart.Timeline {
	c, _ := overTime(m, "over time", wide, worst(m, contrasts(m)), m.Timeline.Whole.Points).(*chart.Timeline)
	return c
}

func TestOverTime(t *testing.T) {
	m := failModel()
	c := wholeChart(m)
	if got := c.Panels[0].Lines; len(got) != 1 || got[0].Name != "web → search" {
		t.Errorf("failures: got lines %+v, want that of search, which alone failed", got)
	}
	if got := c.Panels[1].Lines; len(got) != 2 || got[0].Name != "k1" || got[1].Name != "k2" {
		t.Errorf("shares: got lines %+v, want those of k1 and k2", got)
	}
	if !strings.Contains(c.Description, "1,204 auth failures among 21,100 first attempts") {
		t.Errorf("got description %q, want it to tell the figures", c.Description)
	}
	if len(c.Phases) != 7 || c.Phases[3] != (chart.Mark{At: 21.04, Name: "emit"}) {
		t.Errorf("got phases %+v, want all seven", c.Phases)
	}
	if len(c.Bands) != 2 || c.Bands[0] != (chart.Band{From: 5.2, To: 5.7, Name: "partition checkout → auth"}) || c.Bands[1].Name != "asked to roll back" {
		t.Errorf("got bands %+v, want the fault's and what the operator did", c.Bands)
	}
}

func TestOverTimeLeavesGapsWhereNothingWasAttempted(t *testing.T) {
	gaps := 0
	for _, v := range wholeChart(passModel()).Panels[0].Lines[0].Values {
		if math.IsNaN(v) {
			gaps++
		}
	}
	if gaps == 0 {
		t.Error("got a line without a gap over phases in which nothing was attempted")
	}
}

// A service that is down is not flat: the picture must not look like it.
func TestOverTimeShowsWhatGotNoAnswer(t *testing.T) {
	m := failModel()
	for i := range m.Timeline.Whole.Points {
		if p := &m.Timeline.Whole.Points[i]; i > 100 {
			p.Unavailable = p.Attempts / 2
		}
	}
	c := wholeChart(m)
	if got := c.Panels[0].Lines; len(got) != 2 || got[1].Name != "unavailable" {
		t.Errorf("got lines %+v, want one of what was unavailable too", got)
	}
	if !strings.Contains(c.Description, "got no answer") {
		t.Errorf("got description %q, want it to say that some got no answer", c.Description)
	}
	all := contrasts(m)
	all[0].After.Unavailable, all[0].Down = 20, worstPhase{Phase: history.Watch, Share: "2.0 %"}
	bars, _ := comparison(all).(*chart.Comparison)
	if len(bars.Measures) != 3 || bars.Rows[0].After[1].Text != "0.20 %" || len(bars.Rows[1].Before) != 3 {
		t.Errorf("got measures %q of %+v, want the unavailable too", bars.Measures, bars.Rows)
	}
	if text, tone := all[0].says(); tone != "bad" || text != "auth failures: 100 % in emit; unavailable: 2.0 % in watch" {
		t.Errorf("got %q (%s), want both", text, tone)
	}
}

// Where users call, nobody may know which credential is behind it.
func TestOverTimeWithoutCredentials(t *testing.T) {
	m := passModel()
	whole := []Point{{Attempts: 3, Credentials: map[string]int64{"": 3}}}
	m.Timeline.Whole.Points = whole
	c, _ := overTime(m, "", narrow, []named{{points: whole}}, whole).(*chart.Timeline)
	if len(c.Panels) != 1 {
		t.Errorf("got panels %+v, want that of failures alone", c.Panels)
	}
}

func TestNoChartOfNothing(t *testing.T) {
	m := passModel()
	for name, timeline := range map[string]*Timeline{"no timeline": nil, "an empty one": {}} {
		m.Timeline = timeline
		if c := overTime(m, "", wide, nil, nil); c != nil {
			t.Errorf("of %s: got %+v, want no chart", name, c)
		}
	}
	if c := comparison(nil); c != nil {
		t.Errorf("of no pairs: got %+v, want no chart", c)
	}
}

func TestWorstFoldsTheRestIntoOneLine(t *testing.T) {
	m := passModel()
	m.Cells = nil
	for i := range 10 {
		c := cell(fmt.Sprintf("v%d", i), history.Overlap, 1000, int64(i)*10, map[string]judge.CredentialCounts{"k2": {Attempts: 1000, AuthFailures: int64(i) * 10}})
		m.Cells = append(m.Cells, c)
	}
	m.Timeline = TimelineOf(historyOf(m), m.Limits)
	lines := worst(m, contrasts(m))
	var names []string
	for _, l := range lines {
		names = append(names, l.name)
	}
	if got, want := strings.Join(names, ", "), "web → v9, web → v8, web → v7, web → v6, 5 others"; got != want {
		t.Errorf("got lines %q, want %q", got, want)
	}
	var failures int64
	for _, p := range lines[4].points {
		failures += p.AuthFailures
	}
	if failures != 10+20+30+40+50 {
		t.Errorf("the others: got %d failures, want 150", failures)
	}
}

func TestTicks(t *testing.T) {
	const minute = history.Offset(time.Minute)
	tests := []struct {
		speed      float64
		start, end history.Offset
		want       string
	}{
		{60, 0, minute * 86 / 60, "0s 10m 20m 30m 40m 50m 1h 1h10m 1h20m"},
		{60, minute / 60 * 7, minute * 86 / 60, "10m 20m 30m 40m 50m 1h 1h10m 1h20m"},
		{1, 0, minute / 10, "0s 1s 2s 3s 4s 5s 6s"},
		{1, 0, 90 * 24 * 60 * minute, "0s 240h 480h 720h 960h 1200h 1440h 1680h 1920h"},
	}
	for _, tt := range tests {
		var got []string
		for _, tick := range ticks(Clock{Speed: tt.speed}, tt.start, tt.end, 9) {
			if tick.At < seconds(tt.start) || tick.At > seconds(tt.end) {
				t.Errorf("tick %s is at %g s, beyond the axis", tick.Label, tick.At)
			}
			got = append(got, tick.Label)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("ticks from %s to %s: got %q, want %q", tt.start.Wall(), tt.end.Wall(), got, tt.want)
		}
	}
}

func TestCeiling(t *testing.T) {
	for in, want := range map[float64]float64{0: 0.01, 0.01: 0.01, 0.011: 0.02, 0.3: 0.5, 0.51: 1, 1: 1} {
		if got := ceiling(in); got != want {
			t.Errorf("ceiling(%g) = %g, want %g", in, got, want)
		}
	}
}

func TestFiguresLeaveOutWhatWasNotAttempted(t *testing.T) {
	m := passModel()
	var attempts int64
	table := figures(m, "t", m.Timeline.Whole.Points)
	for _, p := range m.Timeline.Whole.Points {
		if p.Attempts > 0 {
			attempts++
		}
	}
	if int64(len(table.Rows)) != attempts || attempts == 0 {
		t.Errorf("got %d rows, want the %d points with attempts", len(table.Rows), attempts)
	}
}
