package reports

import (
	"math"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/judge"
)

// Headline is the answer in one line: the verdict, and whether auth failures
// stayed flat. What was simulated says so.
func Headline(v judge.Verdict) string {
	if v.Totals.Simulated {
		return "Simulated, not run: " + headline(v)
	}
	return headline(v)
}

func headline(v judge.Verdict) string {
	switch v.Verdict {
	case judge.Pass:
		return "Pass: auth failures stayed flat"
	case judge.Fail:
		switch v.AuthFailures {
		case judge.Flat:
			return "Fail: auth failures stayed flat, but another rule was broken"
		case judge.CannotTell:
			return "Fail: a rule was broken, and it cannot be told whether auth failures stayed flat"
		}
		return "Fail: auth failures did not stay flat"
	}
	if v.AuthFailures == judge.Flat {
		return "Inconclusive: auth failures stayed flat, but not every rule can be told"
	}
	return "Inconclusive: it cannot be told whether auth failures stayed flat"
}

// Count is a number with its thousands set apart: 41,230.
func Count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return sign + b.String()
}

// Share is a part of a whole in percent. It is 0 % and 100 % only where that is exact: the difference
// between none and a few is what matters; "–" where the whole is 0.
func Share(part, whole int64) string {
	if whole == 0 {
		return "–"
	}
	percent := 100 * float64(part) / float64(whole)
	switch {
	case part == 0 || part == whole:
		return strconv.FormatFloat(percent, 'f', 0, 64) + " %"
	case percent < 0.01:
		return "< 0.01 %"
	case percent > 99.99:
		return "> 99.99 %"
	}
	return percentage(percent) + " %"
}

// percentage has one decimal, and two near to none and to all.
func percentage(percent float64) string {
	if percent < 1 || percent > 99 {
		return strconv.FormatFloat(percent, 'f', 2, 64)
	}
	return strconv.FormatFloat(percent, 'f', 1, 64)
}

// latency is a number of milliseconds; of none there is no latency.
func latency(ms float64) string {
	if ms <= 0 {
		return "–"
	}
	if ms < 0.1 {
		return sensible(1000*ms) + " µs"
	}
	return sensible(ms) + " ms"
}

// sensible is a figure with about three significant digits, and none of them
// an exponent.
func sensible(f float64) string {
	switch {
	case f >= 100:
		return Count(int64(math.Round(f)))
	case f >= 10:
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	return strconv.FormatFloat(f, 'f', 2, 64)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// dash stands for what is empty.
func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}
