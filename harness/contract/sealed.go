package contract

import (
	"encoding/json"
	"errors"
	"io"
)

// maxSealed bounds what is read of sealed variables, in bytes.
const maxSealed = 16 << 20

// ReadSealed reads sealed variables by their names: a JSON object of texts of 16 MiB at most. The error
// quotes nothing of it.
func ReadSealed(r io.Reader) (map[string]string, error) {
	var sealed map[string]string
	if json.NewDecoder(io.LimitReader(r, maxSealed)).Decode(&sealed) != nil {
		return nil, errors.New("they are no JSON object of texts")
	}
	return sealed, nil
}
