package standin

import "hash/fnv"

// Chosen reports whether something belongs to a share of all, in [0, 1]: always
// the same of the same share.
func Chosen(id string, share float64) bool {
	const parts = 10_000
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(id)) // a hash's Write never fails
	return float64(hash.Sum32()%parts) < share*parts
}
