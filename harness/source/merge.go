package source

import "slices"

// Merge applies a merge patch to a document (RFC 7396): null takes an entry
// away, mappings are merged, everything else replaces what was there. The
// result keeps the position of each value in the file that it came from.
func Merge(target, patch *Node) *Node { return merge(target, patch, false) }

// Compose makes one merge patch of two, the second applied after the first.
// It is Merge that keeps null, which in a patch has something to say.
func Compose(first, second *Node) *Node {
	if first == nil {
		return second
	}
	return merge(first, second, true)
}

func merge(target, patch *Node, keepNull bool) *Node {
	if patch.Kind != Mapping {
		return patch
	}
	merged := &Node{Position: patch.Position, Kind: Mapping}
	at := map[string]int{}
	if target != nil && target.Kind == Mapping {
		merged.Position = target.Position
		merged.Fields = slices.Clone(target.Fields)
		for i, f := range merged.Fields {
			at[f.Key] = i
		}
	}
	for _, f := range patch.Fields {
		i, ok := at[f.Key]
		switch {
		case !f.Value.IsNull() || keepNull:
			if ok {
				f.Value = merge(merged.Fields[i].Value, f.Value, keepNull)
				merged.Fields[i] = f
			} else {
				f.Value = merge(nil, f.Value, keepNull)
				merged.Fields = append(merged.Fields, f)
			}
		case ok:
			merged.Fields[i].Value = nil
		}
	}
	merged.Fields = slices.DeleteFunc(merged.Fields, func(f Field) bool { return f.Value == nil })
	return merged
}
