package runbook

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/source"
)

// Percent is a share between 0 and 1, written in a file as 99.9%.
type Percent float64

// PercentPattern is what a Percent looks like in a file, as a regular expression.
const PercentPattern = `^\d+(\.\d+)?%$`

var percentPattern = regexp.MustCompile(PercentPattern)

// String is p as it is written in a file: "99.9%".
func (p Percent) String() string {
	// 12 digits are more than anyone writes and hide the error of the product.
	return strconv.FormatFloat(float64(p)*100, 'g', 12, 64) + "%"
}

// MarshalText writes p as String does.
func (p Percent) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads a percentage from 0% to 100%. The error is a *source.Invalid.
func (p *Percent) UnmarshalText(text []byte) error {
	s := string(text)
	if !percentPattern.MatchString(s) {
		return &source.Invalid{Message: strconv.Quote(s) + " is not a percentage", Hint: "write it as 99.9%"}
	}
	v, err := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
	if err != nil || v > 100 {
		return &source.Invalid{Message: strconv.Quote(s) + " is more than there is", Hint: "between 0% and 100%"}
	}
	*p = Percent(v / 100)
	return nil
}
