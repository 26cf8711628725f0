package launch

import "bytes"

// MaxLine is the longest line that Lines delivers whole, in bytes.
const MaxLine = 1 << 20

// Lines is an io.Writer that cuts what is written to it into lines and hands
// each, without its newline and as a copy, to Deliver. Of a line longer than
// MaxLine the rest is dropped. It is not safe for concurrent use.
type Lines struct {
	Deliver func(line []byte)
	rest    []byte
	drop    bool // the line under way was delivered, cut off
}

// Write never fails.
func (l *Lines) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		part, after, whole := bytes.Cut(p, []byte{'\n'})
		p = after
		l.add(part)
		if whole {
			l.end()
		}
	}
	return n, nil
}

func (l *Lines) add(part []byte) {
	if l.drop {
		return
	}
	room := MaxLine - len(l.rest)
	l.rest = append(l.rest, part[:min(room, len(part))]...)
	if len(part) > room {
		l.flush()
		l.drop = true
	}
}

func (l *Lines) end() {
	if !l.drop {
		l.flush()
	}
	l.drop = false
}

func (l *Lines) flush() {
	line := l.rest
	l.rest = nil // the receiver may keep the line
	if line == nil {
		line = []byte{}
	}
	l.Deliver(bytes.TrimSuffix(line, []byte{'\r'}))
}

// Close delivers a last line that has no newline.
func (l *Lines) Close() error {
	if len(l.rest) > 0 && !l.drop {
		l.flush()
	}
	return nil
}
