package inventory

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/rehearse-dev/rehearse/harness/plaintext"
)

// WriteTable writes a table for a terminal, and below it what is overdue.
func WriteTable(w io.Writer, secrets []Secret) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, " \tSECRET\tFAMILY\tOWNER\tEVERY\tNEXT REVIEW\tNEXT REHEARSAL\tLAST REHEARSAL\tPAGE")
	for _, s := range secrets {
		cells := []string{s.Standing.sign(), s.Name, s.Family, orDash(s.Owner), orDash(s.Cadence), orDash(s.NextReview), orDash(s.NextRehearsal), s.Last.String(), s.Page}
		for i := range cells {
			cells[i] = plaintext.Line(cells[i])
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	for _, s := range secrets {
		for _, why := range s.Overdue {
			fmt.Fprintf(t, "\noverdue: %s", plaintext.Line(s.Name+": "+why))
		}
	}
	if Overdue(secrets) {
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write inventory: %w", err)
	}
	return nil
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// String is the verdict and the day, or "never".
func (r *Rehearsal) String() string {
	if r == nil {
		return "never"
	}
	s := r.Verdict + " on " + r.At.Format(time.DateOnly)
	if r.OldPage {
		s += ", of another version of the page"
	}
	return s
}

// WriteJSON writes the inventory as an array of objects.
func WriteJSON(w io.Writer, secrets []Secret) error {
	e := json.NewEncoder(plaintext.JSON(w))
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(secrets); err != nil {
		return fmt.Errorf("write inventory: %w", err)
	}
	return nil
}

// WriteICalendar writes reviews and rehearsals that are due as all-day events
// (RFC 5545, whose lines end with CR and LF). An event keeps its UID when its date moves, so that a calendar
// that reads the file again moves it too.
func WriteICalendar(w io.Writer, secrets []Secret, now time.Time) error {
	calendar := ics.NewCalendar()
	calendar.SetProductId("-//rehearse//inventory//EN")
	calendar.SetName("Secret rotations")
	calendar.SetXWRCalName("Secret rotations")
	for _, s := range secrets {
		add := func(what, date, summary string) {
			day, err := time.Parse(time.DateOnly, date)
			if err != nil { // no date is known
				return
			}
			event := calendar.AddEvent(plaintext.Line(what + "." + s.Name + "@rehearse"))
			event.SetDtStampTime(now)
			event.SetAllDayStartAt(day)
			event.SetAllDayEndAt(day.AddDate(0, 0, 1))
			event.SetSummary(plaintext.Line(summary + " " + s.Name))
			event.SetDescription(fmt.Sprintf("Page: %s\nOwner: %s\nLast rehearsal: %s",
				plaintext.Line(s.Page), plaintext.Line(orDash(s.Owner)), plaintext.Line(s.Last.String())))
		}
		add("review", s.NextReview, "Review the runbook of")
		add("rehearsal", s.NextRehearsal, "Rehearse the rotation of")
	}
	if err := calendar.SerializeTo(w, ics.WithNewLineWindows); err != nil {
		return fmt.Errorf("write inventory: %w", err)
	}
	return nil
}

// WriteMessage writes a message for a team's channel: what is overdue first,
// then what comes next.
func WriteMessage(w io.Writer, secrets []Secret) error {
	var b strings.Builder
	fmt.Fprintf(&b, "*Secret rotations: %s, %d overdue*\n", counted(len(secrets)), overdue(secrets))
	for _, standing := range []Standing{Late, Failed, Unknown, Ready} {
		for _, s := range secrets {
			if s.Standing != standing {
				continue
			}
			what := "next review " + orDash(s.NextReview) + ", next rehearsal " + orDash(s.NextRehearsal)
			if standing == Late {
				what = strings.Join(s.Overdue, "; ")
			}
			fmt.Fprintf(&b, "%s `%s` (%s): %s; last rehearsal: %s\n", standing.sign(),
				plaintext.Chat(s.Name), plaintext.Chat(orDash(s.Owner)), plaintext.Chat(what), plaintext.Chat(s.Last.String()))
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write inventory: %w", err)
	}
	return nil
}

func overdue(secrets []Secret) (n int) {
	for _, s := range secrets {
		if len(s.Overdue) > 0 {
			n++
		}
	}
	return n
}

func counted(n int) string {
	if n == 1 {
		return "1 secret"
	}
	return fmt.Sprintf("%d secrets", n)
}
