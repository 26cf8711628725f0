package console

import (
	"os"

	"golang.org/x/term"
)

// Detect finds out how to print to a file: a status line and its width where
// it is a terminal, and colour unless NO_COLOR (https://no-color.org: set and
// not empty) or TERM=dumb say otherwise. getenv is os.Getenv.
func Detect(f *os.File, getenv func(string) string) Options {
	fd := int(f.Fd())
	width, _, err := term.GetSize(fd)
	if err != nil {
		width = 0 // not known
	}
	return optionsFor(term.IsTerminal(fd), width, getenv)
}

func optionsFor(terminal bool, width int, getenv func(string) string) Options {
	if !terminal || getenv("TERM") == "dumb" {
		return Options{}
	}
	return Options{Terminal: true, Width: width, Color: getenv("NO_COLOR") == ""}
}
