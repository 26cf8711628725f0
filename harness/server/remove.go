package server

import (
	"errors"
	"os"
)

// RemoveData removes a folder that a server kept its data in, or right above it, with the shared memory of one
// that was killed. Nothing there is no error.
func RemoveData(folder string) error {
	return errors.Join(dropSegments(folder), os.RemoveAll(folder))
}
