package standin

import (
	"errors"
	"fmt"
)

// Require names all fields that are empty, in one error. It takes pairs of a
// field's name and what it holds.
func Require(pairs ...string) error {
	var errs []error
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			errs = append(errs, fmt.Errorf("check configuration: %s is missing", pairs[i]))
		}
	}
	return errors.Join(errs...)
}
