package standin

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// lookEvery is how often it is looked whether a kubelet has brought a volume anew: by
// that its delay is known. What a consumer uses it reads at its refresh.
const lookEvery = 50 * time.Millisecond

// volume is the folder of a file that a kubelet replaces, as it does with a mounted
// Secret: by a link of the name ..data (AtomicWriter of k8s.io/kubernetes/pkg/volume/util).
type volume struct {
	file, leads string
	keys        map[string]string // of the document that is there
}

// newVolume looks at a file as it is now. Where nothing is replaced there is never news.
func newVolume(file string) *volume {
	v := &volume{file: file}
	v.news()
	return v
}

// news are the identifiers of credentials that were not there at the last look, sorted.
func (v *volume) news() []string {
	if v.file == "" {
		return nil
	}
	leads, err := os.Readlink(filepath.Join(filepath.Dir(v.file), "..data"))
	if err != nil || leads == v.leads {
		return nil
	}
	content, err := os.ReadFile(v.file)
	var document map[string]any
	if err != nil || json.Unmarshal(content, &document) != nil {
		return nil // its reader says what is wrong with it
	}
	before := v.keys
	v.leads, v.keys = leads, contract.HeldOf(document).Keys
	var news []string
	for _, name := range slices.Sorted(maps.Keys(v.keys)) {
		if _, ok := before[name]; !ok && before != nil {
			news = append(news, name)
		}
	}
	return news
}
