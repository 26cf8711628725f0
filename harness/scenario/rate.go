package scenario

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/source"
)

// Rate is a number of requests per second of wall time, written 200/s, 30/m or
// 5/h. Rates are not scaled.
type Rate float64

// RatePattern is what a Rate looks like in a file, as a regular expression.
const RatePattern = `^\d+(\.\d+)?/[smh]$`

var ratePattern = regexp.MustCompile(RatePattern)

// maxRate is more than one machine can send; beyond it is a slip of the pen.
const maxRate = 1_000_000

// rateUnits are the seconds in each unit, in the order in which String tries them.
var rateUnits = []struct {
	suffix  string
	seconds float64
}{{"/s", 1}, {"/m", 60}, {"/h", 3600}}

// String is r in the first unit in which it is a whole number, else per second.
func (r Rate) String() string {
	for _, u := range rateUnits {
		if n := math.Round(float64(r) * u.seconds); n >= 1 && Rate(n/u.seconds) == r {
			return strconv.FormatFloat(n, 'f', -1, 64) + u.suffix
		}
	}
	return strconv.FormatFloat(float64(r), 'f', -1, 64) + "/s"
}

// MarshalText writes r as String does.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a rate above zero. The error is a *source.Invalid.
func (r *Rate) UnmarshalText(text []byte) error {
	s := string(text)
	refuse := func(why string) error {
		return &source.Invalid{Message: strconv.Quote(s) + why, Hint: "write it as 200/s, 30/m or 5/h"}
	}
	if strings.HasPrefix(s, "-") {
		return refuse(" is a negative rate")
	}
	if !ratePattern.MatchString(s) {
		return refuse(" is not a rate")
	}
	for _, u := range rateUnits {
		number, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(number, 64)
		v := n / u.seconds
		if err != nil || v > maxRate {
			return refuse(" is more than can be sent")
		}
		if v <= 0 {
			return refuse(" is no rate: it must be more than 0")
		}
		*r = Rate(v)
	}
	return nil
}
