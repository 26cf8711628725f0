package database

import "strings"

// postgresPrefix is the log_line_prefix of the server: SQLSTATE, and the host
// and port of the client. The server knows no application name before a session
// has begun (it logs [unknown] with a refusal), so the port tells who it was.
const postgresPrefix = "%e|%r|"

// postgresLine is one line of the server's log.
type postgresLine struct {
	state, port, severity, text string
}

// parsePostgresLine reads a line; false for one that goes on from the one before.
func parsePostgresLine(line string) (postgresLine, bool) {
	state, rest, found := strings.Cut(line, "|")
	remote, message, more := strings.Cut(rest, "|")
	severity, text, said := strings.Cut(message, ":  ")
	if !found || !more || !said || len(state) != len(stateOK) {
		return postgresLine{}, false
	}
	_, port, _ := strings.Cut(strings.TrimSuffix(remote, ")"), "(")
	return postgresLine{state: state, port: port, severity: severity, text: text}, true
}

// refuses reports whether it is the refusal of a credential: 28P01
// (invalid_password, of an unknown role too) or 28000 (a role without LOGIN).
func (l postgresLine) refuses() bool { return strings.HasPrefix(l.state, "28") }

// serious reports whether a person who looks for trouble wants to see it.
func (l postgresLine) serious() bool {
	return l.port == "" && (l.severity == "FATAL" || l.severity == "PANIC" || l.severity == "ERROR")
}
