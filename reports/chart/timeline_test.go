package chart

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/plot/vg"
)

func TestLabelsDoNotRunIntoEachOther(t *testing.T) {
	c := timeline()
	for _, width := range []vg.Length{300, 460, 960} {
		bands := c.phaseBands()
		labels, rows := c.labels(bands, width)
		if rows > maxRows {
			t.Errorf("width %v: got %d rows, want at most %d", width, rows, maxRows)
		}
		room := width - c.margin() - rightMargin
		end := func(i int) vg.Length { return labels[i].x + label(ink).Width(labels[i].text) }
		for i, a := range labels {
			if a.row >= 0 && end(i) > room {
				t.Errorf("width %v: %s ends at %v, beyond %v", width, bands[i].Name, end(i), room)
			}
			for j := range i {
				if b := labels[j]; a.row >= 0 && a.row == b.row && a.x < end(j) && b.x < end(i) {
					t.Errorf("width %v: %s runs into %s", width, bands[i].Name, bands[j].Name)
				}
			}
		}
	}
}

func TestLabelsWithoutAPlaceAreLeftOut(t *testing.T) {
	c := timeline()
	c.Bands = nil
	for i := range 50 {
		c.Bands = append(c.Bands, Band{From: 40, To: 41, Name: fmt.Sprint("fault ", i)})
	}
	labels, rows := c.labels(c.Bands, 460)
	shown := 0
	for _, l := range labels {
		if l.row >= 0 {
			shown++
		}
	}
	if rows != maxRows || shown < maxRows || shown == len(c.Bands) {
		t.Errorf("got %d labels in %d rows, want some of them in %d", shown, rows, maxRows)
	}
}

func TestLongLabelsAreCut(t *testing.T) {
	c := timeline()
	labels, _ := c.labels([]Band{{From: 1, To: 2, Name: "went on to emit, after a long time on hold, and a word with everybody"}}, 960)
	if got := labels[0].text; label(ink).Width(got) > maxLabel || got[:len("went on")] != "went on" || got[len(got)-len("…"):] != "…" {
		t.Errorf("got %q, want its beginning and an ellipsis", got)
	}
}

func TestStepsBreakAtGapsAndJoinLevelStretches(t *testing.T) {
	c := &Timeline{Start: 0, End: 9, First: 0, Step: 2}
	got := c.steps(Line{Values: []float64{0, 0, math.NaN(), 1, 0}})
	want := [][][2]float64{{{0, 0}, {4, 0}}, {{6, 1}, {8, 1}, {8, 0}, {9, 0}}}
	if len(got) != len(want) {
		t.Fatalf("got %d stretches, want %d: %v", len(got), len(want), got)
	}
	for i := range want {
		if len(got[i]) != len(want[i]) {
			t.Errorf("stretch %d: got %v, want %v", i, got[i], want[i])
			continue
		}
		for j, p := range want[i] {
			if got[i][j].X != p[0] || got[i][j].Y != p[1] {
				t.Errorf("stretch %d: got %v, want %v", i, got[i], want[i])
			}
		}
	}
}
