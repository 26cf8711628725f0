package attached

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

const (
	// scrapes is after how many scrapes a Prometheus surely has a count: one may be under way.
	scrapes = 2
	// DefaultScrape is the interval with which Prometheus's own example scrapes.
	DefaultScrape = 15 * time.Second
	// countTimeout bounds one question.
	countTimeout = 10 * time.Second
)

// Count reads the counters of the services that have one, by their names.
func (s *System) Count(ctx context.Context) (map[string]int64, error) {
	counted := map[string]int64{}
	for _, name := range slices.Sorted(maps.Keys(s.attach.Counters)) {
		n, _, err := s.count(ctx, name, s.attach.Counters[name])
		if err != nil {
			return nil, fmt.Errorf("read the counter of %s: %w", name, err)
		}
		counted[name] = n
	}
	return counted, nil
}

// Served is what the system's counters say was served since Count. A Prometheus lags, and is asked
// after it has scraped again. A counter that cannot be read says why.
func (s *System) Served(ctx context.Context, before map[string]int64) []history.Counter {
	if s.asksPrometheus() {
		timer := time.NewTimer(scrapes * cmp.Or(s.attach.Scrape.Duration(), DefaultScrape))
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	var all []history.Counter
	for _, name := range slices.Sorted(maps.Keys(s.attach.Counters)) {
		asks := s.attach.Counters[name]
		c := history.Counter{Service: name, From: asks.Path, AtLeast: asks.AtLeast}
		if asks.Query != "" {
			c.From = "Prometheus (" + asks.Query + ")"
		}
		n, found, err := s.count(ctx, name, asks)
		switch {
		case err != nil:
			c.Missing = err.Error()
		case !found:
			c.Missing = "nothing is found there"
		case n < before[name]:
			c.Missing = fmt.Sprintf("it began anew: it counted %d at the start and %d at the end", before[name], n)
		default:
			c.Served = n - before[name]
		}
		all = append(all, c)
	}
	return all
}

func (s *System) asksPrometheus() bool {
	for _, c := range s.attach.Counters {
		if c.Query != "" {
			return true
		}
	}
	return false
}

// count reads one counter; found is false where a Prometheus has no sample yet, as before the first
// count.
func (s *System) count(ctx context.Context, name string, c scenario.Counter) (n int64, found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	if c.Query != "" {
		answer, err := s.query(ctx, c.Query)
		if err != nil {
			return 0, false, err
		}
		return sum(answer, c.Labels)
	}
	answer, err := send(ctx, looker, http.MethodGet, s.endpoints[name].URL+c.Path, http.Header{}, "")
	if err != nil {
		return 0, false, err
	}
	text, err := at(answer, c.Field)
	if err != nil {
		return 0, false, err
	}
	n, err = whole(text)
	return n, true, err
}

// query is what the Prometheus of the system answers to an instant query now.
func (s *System) query(ctx context.Context, expression string) (answer string, err error) {
	return send(ctx, looker, http.MethodGet, s.attach.Prometheus+"/api/v1/query?query="+url.QueryEscape(expression), http.Header{}, "")
}

// sample is one of an instant vector.
type sample struct {
	Labels map[string]string  `json:"metric"`
	Value  [2]json.RawMessage `json:"value"` // when, and what
}

// text is the value, as Prometheus writes it.
func (s sample) text() (text string, err error) {
	if json.Unmarshal(s.Value[1], &text) != nil {
		return "", fmt.Errorf("a sample has no value")
	}
	return text, nil
}

// samplesOf are the samples of an instant vector (Prometheus HTTP API v1).
func samplesOf(answer string) ([]sample, error) {
	var read struct {
		Data struct {
			Type   string   `json:"resultType"`
			Result []sample `json:"result"`
		} `json:"data"`
	}
	if json.Unmarshal([]byte(answer), &read) != nil || read.Data.Type != "vector" {
		return nil, fmt.Errorf("the query does not answer with an instant vector")
	}
	return read.Data.Result, nil
}

// sum adds up the samples of an instant vector (Prometheus HTTP API v1) that have all of some labels;
// found is false where there are none.
func sum(answer string, labels map[string]string) (total int64, found bool, err error) {
	samples, err := samplesOf(answer)
	if err != nil {
		return 0, false, err
	}
	for _, sample := range samples {
		other := false
		for name, value := range labels {
			other = other || sample.Labels[name] != value
		}
		if other {
			continue
		}
		text, err := sample.text()
		if err != nil {
			return 0, false, err
		}
		n, err := whole(text)
		if err != nil {
			return 0, false, fmt.Errorf("%w: ask for the counter itself, as sum by (code) (http_requests_total), and not for its rate or increase", err)
		}
		total, found = total+n, true
	}
	return total, found, nil
}

func whole(text string) (int64, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f < 0 || f != float64(int64(f)) {
		return 0, fmt.Errorf("%q is no count", text)
	}
	return int64(f), nil
}
