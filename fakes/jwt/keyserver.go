package jwt

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"sync"

	"github.com/rehearse-dev/rehearse/fakes/standin"
	"github.com/rehearse-dev/rehearse/harness/history"
)

// KeySet is one of the sets that a key server has, each under a name of its own.
type KeySet struct {
	Status       int             `json:"status"`                  // that it answers with
	CacheControl string          `json:"cache_control,omitempty"` // empty: no such header
	Body         json.RawMessage `json:"body"`
}

// keyServer serves key sets that are changed from outside, and counts how often
// each was asked for: libraries are measured against it.
type keyServer struct {
	mu      sync.Mutex
	sets    map[string]KeySet
	fetches map[string]int64
}

// ServeKeys runs a key server: PUT /NAME sets what GET /NAME/jwks.json answers,
// and GET /NAME says how often that was asked for. It needs no configuration.
func ServeKeys(ctx context.Context, _ []byte, listener net.Listener, log io.Writer) error {
	k := &keyServer{sets: map[string]KeySet{}, fetches: map[string]int64{}}
	ready := &standin.Readiness{}
	mux := standin.NewMux(ready, func() map[string]int64 { return map[string]int64{} })
	mux.HandleFunc("PUT /{name}", k.put)
	mux.HandleFunc("GET /{name}", k.count)
	mux.HandleFunc("GET /{name}/jwks.json", k.jwks)
	return standin.ServeHTTP(ctx, listener, mux, history.NewLogger(log, "keys"))
}

func (k *keyServer) put(w http.ResponseWriter, r *http.Request) {
	var set KeySet
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, standin.MaxDocument)).Decode(&set); err != nil {
		standin.WriteError(w, http.StatusBadRequest, err.Error())
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sets[r.PathValue("name")] = set
	w.WriteHeader(http.StatusNoContent)
}

func (k *keyServer) count(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	standin.WriteJSON(w, http.StatusOK, k.fetches[r.PathValue("name")])
}

func (k *keyServer) jwks(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	set, ok := k.sets[r.PathValue("name")]
	k.fetches[r.PathValue("name")]++
	k.mu.Unlock()
	if !ok {
		standin.WriteError(w, http.StatusNotFound, "no set of this name")
		return
	}
	if set.CacheControl != "" {
		w.Header().Set("Cache-Control", set.CacheControl)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(set.Status)
	_, _ = w.Write(set.Body) // an error is that of a client that left
}
