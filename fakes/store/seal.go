package store

import (
	"crypto/subtle"
	"net/http"
)

// errSealed is what Vault answers, with 503, to everything while it is sealed.
const errSealed = "Vault is sealed"

// seal answers sys/seal: nothing can be read or written until it is unsealed.
func (s *Server) seal() *response {
	s.sealed = true
	return done()
}

// unseal answers sys/unseal, which needs no token but the key.
func (s *Server) unseal(w http.ResponseWriter, r *http.Request) *response {
	if op, ok := operationOf(r); !ok || op != update {
		return refuse(http.StatusMethodNotAllowed)
	}
	body, refused := readFields(w, r)
	if refused != nil {
		return refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := body.text("key")
	if s.unsealKey == "" || subtle.ConstantTimeCompare([]byte(key), []byte(s.unsealKey)) != 1 {
		return refuse(http.StatusBadRequest, "unseal failed, invalid key")
	}
	s.sealed = false
	return &response{status: http.StatusOK, bare: map[string]any{
		"type": "shamir", "initialized": true, "sealed": false, "t": 1, "n": 1, "progress": 0, "version": Version,
	}}
}
