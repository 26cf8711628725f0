package scenario

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// MeasuredIn is a figure of a run: what came out of it, in page time.
type MeasuredIn struct {
	File   string `yaml:"file" json:"file"`     // the result.json of a run, relative to the file that says it
	Figure string `yaml:"figure" json:"figure"` // which of its times, by its path: elements of lists are called by their names, and * is all of them, as validators.*.learned_after_ms or pods.*.saw_after_ms; a time, a list of times, or a histogram of [time, count]
}

const (
	// resultSchema is that of a run's result.json.
	resultSchema = "rehearse/result/v1"
	// mostResult bounds such a file, in bytes, and mostMeasured what is taken from it.
	mostResult   = 64 << 20
	mostMeasured = 10_000
)

// units are those of times in a result.json, by the end of their keys.
var units = map[string]time.Duration{"_ns": time.Nanosecond, "_us": time.Microsecond, "_ms": time.Millisecond}

// readMeasured reads what was measured in runs.
func (l *loader) readMeasured(s *Scenario, document *source.Node) {
	for _, name := range slices.Sorted(maps.Keys(s.Vary)) {
		d := s.Vary[name]
		if d.MeasuredIn == nil {
			continue
		}
		at, _ := document.At("vary") // paths have dots, and cannot be followed further
		measured, err := l.measured(at.File, *d.MeasuredIn)
		if err != nil {
			l.report(at, "vary."+name, "as measured_in: {file: runs/monday/result.json, figure: validators.*.learned_after_ms}", "%s: %s: %v", name, d.MeasuredIn.File, err)
			continue
		}
		d.inRun = measured
		s.Vary[name] = d
	}
}

// measured are the figures of a run, relative to the file that names it.
func (l *loader) measured(namedBy string, m MeasuredIn) ([]runbook.Duration, error) {
	if err := relativeFile(m.File); err != nil {
		return nil, err
	}
	folder, err := l.folder(namedBy, path.Dir(m.File))
	if err != nil {
		return nil, err
	}
	data, err := source.ReadIn(folder, path.Base(m.File), mostResult)
	if err != nil {
		return nil, err
	}
	return m.from(data)
}

// from are the figures in the text of a result.json, as page time.
func (m MeasuredIn) from(data []byte) ([]runbook.Duration, error) {
	var result map[string]any
	if err := json.Unmarshal(data, &result); err != nil {
		return nil, fmt.Errorf("it is no JSON: %w", err)
	}
	if schema := result["schema"]; schema != resultSchema {
		return nil, fmt.Errorf("it is no result.json of a run: its schema is %v, and not %s", schema, resultSchema)
	}
	speed, _ := result["speed"].(float64)
	if speed <= 0 {
		return nil, fmt.Errorf("its speed is %v: how long a second of that run was in page time is not known", result["speed"])
	}
	keys := strings.Split(m.Figure, ".")
	unit, timed := units[m.Figure[max(0, len(m.Figure)-len("_ms")):]]
	if !timed {
		return nil, fmt.Errorf("%s is no time: want a key that ends in %s", m.Figure, strings.Join(slices.Sorted(maps.Keys(units)), ", "))
	}
	found, err := figuresAt(result, keys, "")
	if err != nil {
		return nil, err
	}
	var times []timesMeasured
	for _, f := range found {
		if times, err = appendTimes(times, f); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Figure, err)
		}
	}
	return spread(m.Figure, times, float64(unit)*speed)
}

// timesMeasured is a time, and how often it was measured.
type timesMeasured struct{ time, count float64 }

// figuresAt are the values at a path of keys below a value of JSON. The error says what there is instead.
func figuresAt(value any, keys []string, where string) (found []any, err error) {
	if len(keys) == 0 {
		return []any{value}, nil
	}
	in, key := where, keys[0]
	if in == "" {
		in = "the file"
	}
	below := strings.TrimPrefix(where+"."+key, ".")
	switch v := value.(type) {
	case map[string]any:
		next, there := v[key]
		if !there {
			return nil, fmt.Errorf("%s has no %s: %s", in, key, source.DidYouMean(key, slices.Sorted(maps.Keys(v))))
		}
		return figuresAt(next, keys[1:], below)
	case []any:
		names := make([]string, len(v))
		for i, element := range v {
			names[i] = elementName(element, i)
			if key != "*" && key != names[i] {
				continue
			}
			more, err := figuresAt(element, keys[1:], strings.TrimPrefix(where+"."+names[i], "."))
			if err != nil {
				return nil, err
			}
			found = append(found, more...)
		}
		switch {
		case len(v) == 0:
			return nil, fmt.Errorf("%s is empty: that run has none", in)
		case len(found) == 0:
			return nil, fmt.Errorf("nothing of %s is called %s: %s", in, key, source.DidYouMean(key, names))
		}
		return found, nil
	}
	return nil, fmt.Errorf("%s is %v, which has no %s", in, value, key)
}

// elementName is what an element of a list is called: by its name, or its place.
func elementName(element any, i int) string {
	fields, _ := element.(map[string]any)
	for _, key := range []string{"name", "pod", "client"} {
		if name, is := fields[key].(string); is && name != "" {
			return name
		}
	}
	return strconv.Itoa(i)
}

// appendTimes adds what a value tells: a time, a list of them, or a histogram.
func appendTimes(to []timesMeasured, value any) ([]timesMeasured, error) {
	switch v := value.(type) {
	case float64:
		return append(to, timesMeasured{v, 1}), nil
	case []any:
		for _, element := range v {
			pair, is := element.([]any)
			if !is {
				pair = []any{element, 1.0}
			}
			if len(pair) != 2 {
				return nil, fmt.Errorf("want [time, count], and there is %v", element)
			}
			time, timed := pair[0].(float64)
			count, counted := pair[1].(float64)
			if !timed || !counted || count < 0 {
				return nil, fmt.Errorf("want a time, or [time, count], and there is %v", element)
			}
			to = append(to, timesMeasured{time, count})
		}
		return to, nil
	}
	return nil, fmt.Errorf("want a time, a list of times or a histogram, and there is %v", value)
}

// spread are times as a list, in which each comes as often as it was measured, in shares of the most
// that is kept. A time that never came is no time: to leave it out would say that it is short.
func spread(figure string, times []timesMeasured, unit float64) ([]runbook.Duration, error) {
	var all, never float64
	for _, t := range times {
		all += t.count
		if t.time < 0 {
			never += t.count
		}
	}
	switch {
	case all == 0:
		return nil, errors.New(figure + ": nothing was measured")
	case never > 0:
		return nil, fmt.Errorf("%s: it never came in %.0f of %.0f, which is no time: name those that have one", figure, never, all)
	}
	share := max(1, all/mostMeasured)
	var list []runbook.Duration
	for _, t := range times {
		if t.time*unit > float64(longestDrawn) {
			return nil, fmt.Errorf("%s: %g is more than ten years of page time", figure, t.time)
		}
		for range int(math.Ceil(t.count / share)) {
			list = append(list, runbook.Duration(time.Duration(t.time*unit).Round(time.Millisecond)))
		}
	}
	return list, nil
}
