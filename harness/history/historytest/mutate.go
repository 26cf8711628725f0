// Package historytest changes what a run has saved as a person or a broken disk
// could have: by the value, where changes of single bytes would hardly ever leave
// something that can still be read.
package historytest

import (
	"bytes"
	"encoding/json"
	"slices"
)

// gone is the replacement of a value that is taken away with its key.
type gone struct{}

// replacements are what a value becomes: of another type, empty, or a figure that
// nobody reckons with.
var replacements = []any{
	gone{}, nil, 0, -1, 1, 0.001, 1e9, 1e12, -1e12, 1e15, 9e18, 1e300, "", "k1", "k2", "k3", "checkout", "search", "web", "auth",
	"\u202e<script>\x1b]0;x\x07", true, false, []any{}, map[string]any{}, []any{"k1", nil}, [][]int64{{1, 1}},
}

// Mutate applies edits to JSON values, one a line, and returns them as it got
// them where there are no edits. Each edit takes four bytes: which line, what is
// done to it (it is left out, doubled, moved, or one of its values is replaced),
// which value, and by what. It never fails: what does not apply is skipped.
func Mutate(file, edits []byte) []byte {
	if len(edits) < 4 {
		return file
	}
	var lines []any
	for line := range bytes.Lines(file) {
		var v any
		if json.Unmarshal(line, &v) != nil {
			return file
		}
		lines = append(lines, v)
	}
	for ; len(edits) >= 4 && len(lines) > 0; edits = edits[4:] {
		at := int(edits[0]) % len(lines)
		switch edits[1] % 8 {
		case 0:
			lines = slices.Delete(lines, at, at+1)
		case 1:
			lines = slices.Insert(lines, at, copied(lines[at]))
		case 2:
			to := int(edits[2]) % len(lines)
			lines[at], lines[to] = lines[to], lines[at]
		default:
			n := int(edits[2]) + int(edits[1]>>3)<<8
			if count := values(lines[at]); count > 0 {
				n %= count
			}
			by := replacements[int(edits[3])%len(replacements)]
			if _, away := by.(gone); !away {
				by = copied(by) // what is put somewhere is changed by later edits, and must not get into itself
			}
			lines[at] = replace(lines[at], &n, by)
		}
	}
	var out bytes.Buffer
	for _, v := range lines {
		line, err := json.Marshal(v)
		if err != nil {
			return file
		}
		out.Write(append(line, '\n'))
	}
	return out.Bytes()
}

// values counts those inside of a value, at any depth.
func values(v any) int {
	n := 0
	switch v := v.(type) {
	case map[string]any:
		for _, child := range v {
			n += 1 + values(child)
		}
	case []any:
		for _, child := range v {
			n += 1 + values(child)
		}
	}
	return n
}

// replace replaces the value that is n values further inside of v.
func replace(v any, n *int, by any) any {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range sorted(v) {
			*n--
			switch {
			case *n >= 0:
				v[key] = replace(v[key], n, by)
			case *n == -1 && by == gone{}:
				delete(v, key)
			case *n == -1:
				v[key] = by
			}
			if *n < 0 {
				*n = -2 // done
				return v
			}
		}
	case []any:
		for i := range v {
			*n--
			switch {
			case *n >= 0:
				v[i] = replace(v[i], n, by)
			case *n == -1 && by == gone{}:
				return slices.Delete(v, i, i+1)
			case *n == -1:
				v[i] = by
			}
			if *n < 0 {
				*n = -2
				return v
			}
		}
	}
	return v
}

func sorted(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func copied(v any) any {
	data, err := json.Marshal(v)
	if err != nil {
		return v
	}
	var again any
	if json.Unmarshal(data, &again) != nil {
		return v
	}
	return again
}
