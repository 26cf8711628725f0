package delivery

import (
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/family"
)

// word is the value of {{ .secret.PART }} in a published document. A part of the other credential is
// empty where only one is accepted.
func (p published) word(part string) (value contract.Value, known bool) {
	if part == "json" {
		return contract.Text(string(p.encoded)), true
	}
	emitted, others := p.entries()
	switch all := append(emitted, others...); part {
	case "values":
		return contract.List(each(all, "value")), true
	case "identifiers":
		return contract.List(each(all, "identifier")), true
	case "jwks": // RFC 7517 §5
		return contract.Text(`{"keys":[` + strings.Join(each(all, "public_jwk"), ",") + "]}"), true
	}
	of := emitted
	if rest, other := strings.CutPrefix(part, "other."); other {
		if part, of = rest, others; len(of) == 0 {
			return contract.Text(""), true
		}
	}
	if len(of) == 0 {
		return contract.Value{}, false
	}
	text, known := of[0][part]
	return contract.Text(text), known
}

// entries are the parts of the credential that is emitted, and those of the others
// that are accepted, the newest first.
func (p published) entries() (emitted, others []map[string]string) {
	keys, _ := p.document["keys"].([]any)
	for _, key := range slices.Backward(keys) {
		entry, _ := key.(map[string]any)
		parts, err := family.Parts(entry)
		switch {
		case err != nil: // its reader says what is wrong with it
		case parts["identifier"] == p.identifier():
			emitted = append(emitted, parts)
		default:
			others = append(others, parts)
		}
	}
	return emitted, others
}

// each is one part of every entry.
func each(entries []map[string]string, part string) []string {
	texts := make([]string, len(entries))
	for i, parts := range entries {
		texts[i] = parts[part]
	}
	return texts
}
