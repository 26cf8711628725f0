package standin

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
)

// fileDocument is a document in a file that somebody else replaces, as the
// kubelet does with a mounted secret. Its version counts the contents that were
// seen: a file has no number of its own.
type fileDocument struct {
	path    string
	last    []byte
	version int
}

var _ document = (*fileDocument)(nil)

func (d *fileDocument) place() string { return d.path }

func (d *fileDocument) read(context.Context) (content []byte, version int, err error) {
	file, err := os.Open(d.path)
	if err != nil {
		return nil, 0, fmt.Errorf("read its secret: %w", err)
	}
	defer file.Close()
	content, err = io.ReadAll(io.LimitReader(file, MaxDocument))
	if err != nil {
		return nil, 0, fmt.Errorf("read its secret: %w", err)
	}
	if d.version == 0 || !bytes.Equal(content, d.last) {
		d.last, d.version = content, d.version+1
	}
	return content, d.version, nil
}

// variableDocument is a document in a sealed variable, or in the environment of the
// process, by the name of the variable.
type variableDocument string

var _ document = variableDocument("")

func (d variableDocument) place() string { return "environment variable " + string(d) }

func (d variableDocument) read(ctx context.Context) (content []byte, version int, err error) {
	sealed, _ := ctx.Value(sealedKey{}).(map[string]string)
	if value, set := sealed[string(d)]; set {
		return []byte(value), 1, nil
	}
	value, set := os.LookupEnv(string(d))
	if !set {
		return nil, 0, fmt.Errorf("read its secret: %s is not set", d.place())
	}
	return []byte(value), 1, nil
}
