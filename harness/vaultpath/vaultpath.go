// Package vaultpath says which paths of Vault's HTTP API a page, a scenario and
// a run may name. What the API's client, its server and policies read in
// different ways (dots, empty segments, percent-encoding, globs) is no path here,
// so that one that was checked means the same to all of them.
package vaultpath

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// longest is the most bytes that a path may have: far more than any needs, and
// less than Vault's storage takes.
const longest = 512

// Hint says what a path may have.
const Hint = "segments of letters, digits and - _ . ~ @ : = , with one / between them"

// ErrPath is in the chain of every error of this package.
var ErrPath = errors.New("no path of Vault's API")

// pathError says what is wrong with a path.
type pathError string

func (e pathError) Error() string { return string(e) }

// Is makes every one ErrPath, without its words.
func (e pathError) Is(target error) bool { return target == ErrPath }

func refuse(format string, args ...any) error { return pathError(fmt.Sprintf(format, args...)) }

// system are the first segments that no secrets engine can be mounted at.
var system = []string{"auth", "cubbyhole", "identity", "sys"}

// own is the folder below a run's mount in which the run keeps the keyring.
const own = "rehearse"

// Check refuses what is no plain path: segments of letters, digits and a few
// signs, none of them empty, "." or "..".
func Check(path string) error {
	switch {
	case path == "":
		return refuse("it is empty")
	case len(path) > longest:
		return refuse("it has %d bytes, more than %d", len(path), longest)
	case !utf8.ValidString(path):
		return refuse("%q is not UTF-8", path)
	}
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "":
			return refuse("%q has an empty segment (a / at its beginning, at its end, or twice)", path)
		case ".", "..":
			return refuse("%q has the segment %q, which leads elsewhere", path, segment)
		}
		for _, r := range segment {
			if !plain(r) {
				return refuse("%q has %q in it", path, r)
			}
		}
	}
	return nil
}

// plain reports whether a segment may have a character.
func plain(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.~@:=,", r)
}

// Published refuses what is no path of a KV version 2 engine, MOUNT/data/PATH,
// or one at which a run keeps something of its own.
func Published(path string) error {
	if err := Check(path); err != nil {
		return err
	}
	mount, below, found := strings.Cut(path, "/data/")
	switch first, _, _ := strings.Cut(below, "/"); {
	case !found:
		return refuse("%q is not MOUNT/data/PATH", path)
	case systemic(mount):
		return refuse("%q is not below the mount of a KV engine", path)
	case first == own:
		return refuse("%q is below %s/, where a rehearsal keeps its keyring", path, own)
	}
	return nil
}

// Written refuses what a step of a team's own may not write to: Vault itself
// (sys/), but for the leases, of which a credential may be one.
func Written(path string) error {
	if err := Check(path); err != nil {
		return err
	}
	if strings.HasPrefix(path+"/", "sys/") && !strings.HasPrefix(path, "sys/leases/") {
		return refuse("%q is Vault's own, and no secret", path)
	}
	return nil
}

// systemic reports whether a mount's first segment is Vault's own.
func systemic(mount string) bool {
	first, _, _ := strings.Cut(mount, "/")
	return slices.Contains(system, first)
}
