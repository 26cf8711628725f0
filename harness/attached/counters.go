package attached

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/rehearse-dev/rehearse/harness/scenario"
)

const (
	// scraped is how long a Prometheus may take to have what was counted: twice
	// the interval of 15 s that its own example scrapes with.
	scraped = 30 * time.Second
	// countTimeout bounds one question.
	countTimeout = 10 * time.Second
)

// Count reads the counters of the services that have one, by their names. A
// counter of Prometheus is read when it stands still: it lags behind.
func (s *System) Count(ctx context.Context, settle bool) (map[string]int64, error) {
	counted := map[string]int64{}
	if settle && s.asksPrometheus() {
		timer := time.NewTimer(scraped)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.attach.Counters)) {
		n, err := s.count(ctx, name, s.attach.Counters[name])
		if err != nil {
			return nil, fmt.Errorf("read the counter of %s: %w", name, err)
		}
		counted[name] = n
	}
	return counted, nil
}

func (s *System) asksPrometheus() bool {
	for _, c := range s.attach.Counters {
		if c.Query != "" {
			return true
		}
	}
	return false
}

func (s *System) count(ctx context.Context, name string, c scenario.Counter) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	if c.Query != "" {
		answer, err := send(ctx, looker, http.MethodGet, s.attach.Prometheus+"/api/v1/query?query="+url.QueryEscape(c.Query), http.Header{}, "")
		if err != nil {
			return 0, err
		}
		return sum(answer)
	}
	answer, err := send(ctx, looker, http.MethodGet, s.endpoints[name].URL+c.Path, http.Header{}, "")
	if err != nil {
		return 0, err
	}
	text, err := at(answer, c.Field)
	if err != nil {
		return 0, err
	}
	return whole(text)
}

// sum adds up the samples of an instant vector (Prometheus HTTP API v1). Of
// nothing counted yet there are none.
func sum(answer string) (int64, error) {
	var read struct {
		Data struct {
			Type   string `json:"resultType"`
			Result []struct {
				Value [2]json.RawMessage `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(answer), &read); err != nil || read.Data.Type != "vector" {
		return 0, fmt.Errorf("the query does not answer with an instant vector")
	}
	var total int64
	for _, sample := range read.Data.Result {
		var text string
		if err := json.Unmarshal(sample.Value[1], &text); err != nil {
			return 0, fmt.Errorf("a sample has no value")
		}
		n, err := whole(text)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

func whole(text string) (int64, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f < 0 || f != float64(int64(f)) {
		return 0, fmt.Errorf("%q is no count", text)
	}
	return int64(f), nil
}
