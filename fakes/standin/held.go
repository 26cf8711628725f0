package standin

import (
	"log/slog"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// TellFetched logs that a party fetched credentials from somewhere and what it holds of
// them now, by their identifiers, and each that it has learned or forgotten with that.
func TellFetched(log *slog.Logger, from string, fetched, before, holds []string) {
	log.Info(string(history.KindFetched), "identifiers", fetched, "holds", holds, "from", from)
	TellChanged(log, before, holds)
}

// TellChanged logs each identifier that a party has learned or forgotten.
func TellChanged(log *slog.Logger, before, holds []string) {
	each := func(kind history.Kind, in, other []string) {
		for _, identifier := range in {
			if !slices.Contains(other, identifier) {
				log.Info(string(kind), "identifier", identifier)
			}
		}
	}
	each(history.KindLearned, holds, before)
	each(history.KindForgot, before, holds)
}
