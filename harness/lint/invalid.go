package lint

import (
	"cmp"

	"github.com/rehearse-dev/rehearse/harness/source"
)

var invalidFile = Rule{"invalid-file", "every file is a page or a scenario that can be loaded",
	"nothing is known of what it is about, and nobody can rehearse it"}

// Invalid reports whether a finding says that its file cannot be loaded at all.
func (f Finding) Invalid() bool { return f.RuleID == invalidFile.ID }

// InvalidFile is what is wrong with files that cannot be loaded, as findings beside
// those of the others.
func InvalidFile(problems source.Problems) []Finding {
	var found []Finding
	for _, p := range problems {
		message := p.Message
		if p.Path != "" {
			message = p.Path + ": " + message
		}
		found = append(found, Finding{
			Position: p.Position, RuleID: invalidFile.ID, Level: Error, Path: p.Path,
			Message: message, Fix: cmp.Or(p.Hint, "mend the file: `rehearse schema` prints what belongs there, for an editor"),
		})
	}
	return found
}
