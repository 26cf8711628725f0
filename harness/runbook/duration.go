package runbook

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/source"
)

// Duration is a length of page time. In a file it is written as 30s, 10m, 1h30m
// or 90d (a day is 24 hours).
type Duration time.Duration

const day = 24 * time.Hour

// DurationPattern is what a Duration looks like in a file, as a regular expression.
const DurationPattern = `^(0|(\d+d)?(\d+(\.\d+)?h)?(\d+(\.\d+)?m)?(\d+(\.\d+)?s)?(\d+ms)?)$`

var durationPattern = regexp.MustCompile(DurationPattern)

// longest is the most that a duration may be: a hundred years, so that sums and
// multiples of a few stay within a time.Duration.
const longest = 36500 * day

const durationHint = "write it as 30s, 10m, 1h30m or 90d"

// Duration is d as a time.Duration.
func (d Duration) Duration() time.Duration { return time.Duration(d) }

// String is d as it is written in a file, with the largest units that fit and
// none that is zero; "no bound" for Forever.
func (d Duration) String() string {
	if d.Duration() == Forever {
		return "no bound"
	}
	if d <= 0 {
		return d.Duration().String()
	}
	var b strings.Builder
	days, rest := d.Duration()/day, d.Duration()%day
	if days > 0 {
		b.WriteString(strconv.FormatInt(int64(days), 10) + "d")
	}
	if rest > 0 {
		s := rest.String()
		if short, ok := strings.CutSuffix(s, "m0s"); ok {
			s = short + "m"
		}
		if short, ok := strings.CutSuffix(s, "h0m"); ok {
			s = short + "h"
		}
		b.WriteString(s)
	}
	return b.String()
}

// MarshalText writes d as String does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads a duration. The error is a *source.Invalid.
func (d *Duration) UnmarshalText(text []byte) error {
	s := string(text)
	refuse := func(why, hint string) error {
		return &source.Invalid{Message: strconv.Quote(s) + why, Hint: hint}
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil && s != "0" {
		if strings.HasPrefix(s, "-") {
			return refuse(" is a negative duration", durationHint)
		}
		return refuse(" is a duration without a unit", durationHint)
	}
	if s == "" || !durationPattern.MatchString(s) {
		if strings.HasPrefix(s, "-") {
			return refuse(" is a negative duration", durationHint)
		}
		return refuse(" is not a duration", durationHint)
	}
	var sum time.Duration
	rest := s
	if number, after, ok := strings.Cut(s, "d"); ok {
		days, err := strconv.ParseInt(number, 10, 64)
		if err != nil || days > int64(longest/day) {
			return refuse(" is too long a duration", "at most 36500d")
		}
		sum, rest = time.Duration(days)*day, after
	}
	if rest != "" {
		part, err := time.ParseDuration(rest)
		if err != nil || part > longest-sum {
			return refuse(" is too long a duration", "at most 36500d")
		}
		sum += part
	}
	*d = Duration(sum)
	return nil
}
