package attached

import (
	"regexp"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/attached/program"
	"github.com/rehearse-dev/rehearse/harness/leak"
)

const (
	// lastLines is how many lines of a program that failed are told: the reason stands in the last of
	// them, as under a traceback.
	lastLines = 3
	// lastRoom is how much of each is told, in characters.
	lastRoom = 160
	// blackedOut stands in the place of what may be a secret.
	blackedOut = "[secret]"
)

// Patterns of values that nobody knows yet, as of a credential whose making failed half-way: what
// stands between a user and a host, what is assigned to a word for a secret, and long words of letters
// and digits.
var (
	inAddress = regexp.MustCompile(`(://[^\s:/@]*):[^\s/]*@`)
	assigned  = regexp.MustCompile(`(?i)((?:password|passwd|pwd|secret|token|key|value)["']?\s*(?:=|:\s)\s*|\bpassword\s+(?:is\s+)?["'])[^\s]+`)
	unchosen  = regexp.MustCompile(`[A-Za-z0-9+_=-]{16,}`)
)

// lastWords is the end of a program's output, of its standard error where it has any, for a report:
// with secrets and what may be one blacked out. "" where it wrote nothing.
func (s *System) lastWords(said *program.Output) string {
	text := strings.TrimSpace(said.Complaints.String())
	if text == "" {
		text = strings.TrimSpace(said.Out.String())
	}
	scanner := leak.New(s.Secrets())
	var told []string
	for line := range strings.Lines(text) {
		line = withoutSecrets(scanner, strings.TrimSpace(line)) // before anything is cut
		if letters := []rune(line); len(letters) > lastRoom {
			line = string(letters[:lastRoom]) + " …"
		}
		if line != "" {
			told = append(told, line)
		}
	}
	return strings.Join(told[max(0, len(told)-lastLines):], " | ")
}

// withoutSecrets is a line of a program with secrets and what may be one blacked out.
func withoutSecrets(scanner *leak.Scanner, line string) string {
	line = scanner.Mask(line)
	line = assigned.ReplaceAllString(inAddress.ReplaceAllString(line, "$1:"+blackedOut+"@"), "$1"+blackedOut)
	return unchosen.ReplaceAllStringFunc(line, func(word string) string {
		if strings.ContainsAny(word, "0123456789") && strings.ContainsAny(strings.ToLower(word), "abcdefghijklmnopqrstuvwxyz") {
			return blackedOut
		}
		return word
	})
}
