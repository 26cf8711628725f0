package attached

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	// latestLine is how long after its own time a line may come: logs are written and shipped in bulk. What says that
	// it is older is of another clock.
	latestLine = time.Minute
	// aheadOfUs is how far ahead the clock of whoever writes a log may be.
	aheadOfUs = time.Second
)

// timeLayouts are those of times in logs, without a fraction of the second: of the common log format (Apache's %t, nginx's
// $time_local), and of RFC 3339 with a T or a space, with a zone or, without one, in this machine's.
var timeLayouts = []string{"02/Jan/2006:15:04:05 -0700", "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05"}

var (
	epochTime = regexp.MustCompile(`^(\d{10})(?:[.,](\d{1,9}))?$|^(\d{10})(\d{3}|\d{6}|\d{9})$`)
	fraction  = regexp.MustCompile(`^(.{19})[.,](\d{1,9})(.*)$`)
)

// lineTime reads the time of a line in a log: epoch seconds, with a fraction or in milliseconds, microseconds or
// nanoseconds, or one of timeLayouts. The granule is how much later than that it may have been.
func lineTime(text string) (at time.Time, granule time.Duration, err error) {
	text = strings.Trim(text, "[]\" ")
	if m := epochTime.FindStringSubmatch(text); m != nil {
		seconds, _ := strconv.ParseInt(m[1]+m[3], 10, 64) // ten digits
		after, granule := afterPoint(m[2] + m[4])
		return time.Unix(seconds, int64(after)), granule, nil
	}
	var after time.Duration
	granule = time.Second
	if m := fraction.FindStringSubmatch(text); m != nil {
		after, granule = afterPoint(m[2])
		text = m[1] + m[3]
	}
	if len(text) > 10 && text[10] == ' ' {
		text = text[:10] + "T" + strings.ReplaceAll(text[11:], " ", "")
	}
	for _, layout := range timeLayouts {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return at.Add(after), granule, nil
		}
	}
	return at, 0, errors.New("it is none of epoch seconds or milliseconds, RFC 3339, or the common log format (02/Jan/2006:15:04:05 -0700)")
}

// afterPoint are the digits after the point of a second, and the weight of the last of them.
func afterPoint(digits string) (after, granule time.Duration) {
	granule = time.Second
	for _, digit := range digits {
		granule /= 10
		after += time.Duration(digit-'0') * granule
	}
	return after, granule
}

// dated is when a line says that it was written, read at a moment: as late as its granularity allows. "" is a line
// that says nothing, and was written when it was read. An error says why it is not believed.
func dated(text string, read time.Time) (time.Time, error) {
	if text == "" {
		return read, nil
	}
	at, granule, err := lineTime(text)
	if err != nil {
		return read, err
	}
	switch late := read.Sub(at); {
	case late > latestLine:
		return read, fmt.Errorf("it is %s before the line was read", late.Round(time.Second))
	case late < -aheadOfUs:
		return read, fmt.Errorf("it is %s after the line was read", (-late).Round(time.Second))
	}
	if at = at.Add(granule - 1); at.After(read) {
		at = read
	}
	return at, nil
}
