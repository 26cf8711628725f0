package family

import (
	"crypto/rand"
	"fmt"
	"maps"
	"math/big"
)

// withAlphabet is an entry whose value has each of some characters besides those
// that it was made of, inside of its second half: what a value begins with may say
// what it is, and what is around it is often trimmed. The entry is not changed.
func withAlphabet(entry map[string]any, characters string) (map[string]any, error) {
	if characters == "" {
		return entry, nil
	}
	out := maps.Clone(entry)
	for _, field := range []string{"value", "password"} {
		text, ok := out[field].(string)
		if !ok {
			continue
		}
		value, half := []rune(text), len([]rune(text))/2
		for _, character := range characters {
			at, err := rand.Int(rand.Reader, big.NewInt(int64(len(value)-half-1)))
			if err != nil {
				return nil, fmt.Errorf("choose a place in a value: %w", err)
			}
			i := half + 1 + int(at.Int64())
			value = append(value[:i:i], append([]rune{character}, value[i:]...)...)
		}
		out[field] = string(value)
	}
	return out, nil
}
