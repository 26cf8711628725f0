package webhook

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/webhook"
)

// justNow is how old a signature may be by its own timestamp, in whole seconds, to be one of this
// attempt.
const justNow = 2 * time.Second

// signedAnew reports whether a delivery has one signature, which by its own timestamp was made just now:
// whoever sent it has the secret of that signature for the one to sign with, whatever had waited before.
// Schemes without a timestamp do not tell, nor do several signatures.
func signedAnew(h http.Header, now time.Time) bool {
	text, signatures := h.Get(webhook.HeaderSlackAt), 1
	switch {
	case h.Get(webhook.HeaderStandardAt) != "":
		text, signatures = h.Get(webhook.HeaderStandardAt), len(strings.Fields(h.Get(webhook.HeaderStandard)))
	case h.Get(webhook.HeaderStripe) != "":
		signatures = 0
		for part := range strings.SplitSeq(h.Get(webhook.HeaderStripe), ",") {
			if at, found := strings.CutPrefix(strings.TrimSpace(part), "t="); found {
				text = at
			} else if strings.HasPrefix(strings.TrimSpace(part), "v1=") {
				signatures++
			}
		}
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	return err == nil && signatures == 1 && now.Sub(time.Unix(seconds, 0)).Abs() < justNow
}
