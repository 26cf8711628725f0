package source

import "regexp"

// label is a DNS label (RFC 1123, section 2.1): at most 63 lower-case letters,
// digits and hyphens, with no hyphen at either end.
var label = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// LabelHint says what a label looks like.
const LabelHint = "it becomes a host name: lower-case letters, digits and hyphens, at most 63"

// IsLabel reports whether a name can be a host name by itself.
func IsLabel(name string) bool { return label.MatchString(name) }
