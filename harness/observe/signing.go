package observe

import (
	"context"
	"encoding/json"

	"github.com/go-jose/go-jose/v4"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
)

// leastUnfit is how many looks in a row must find that a token is not signed with the key
// that the set has under its kid, before that is told: set and token are not asked for in
// one moment.
const leastUnfit = 3

// signing is what an issuer signs with, look by look.
type signing struct {
	watch  *Watch
	issuer Issuer
	lost   failedLook
	last   string // the kid that was told
	unfit  int    // looks in a row
	pause  pause  // of looks at the set
}

// look asks for a token once, and tells of a kid that is new, and of one under which the set
// has another key.
func (s *signing) look(ctx context.Context) {
	raw, err := s.issuer.Token(ctx)
	kid := contract.KidOf(raw)
	if err == nil && kid == "" {
		err = errNoKid
	}
	if ctx.Err() != nil {
		return // the end of the run, not of the issuer
	}
	s.lost.looked(err)
	if err != nil {
		return
	}
	if kid != s.last {
		s.last, s.unfit = kid, 0
		s.watch.Record(history.Event{Kind: history.KindEmitting, Service: s.issuer.Service, Identifier: kid})
	}
	if s.issuer.Set == nil || s.unfit >= leastUnfit || s.pause.lasts(s.watch.Now()) {
		return
	}
	status, _, body := get(ctx, s.issuer.Set())
	s.pause.after(status, s.watch)
	switch signedUnder(body, raw, kid) {
	case otherKey:
		if s.unfit++; s.unfit == leastUnfit {
			s.watch.Record(history.Event{Kind: history.KindEmitting, Service: s.issuer.Service, Identifier: kid, What: history.OfOtherKey})
		}
	case thatKey:
		s.unfit = 0
	}
}

// What a token and a set say of each other.
const (
	untold   = iota // the set has no key under that name, or one that cannot be read
	thatKey         // it is signed with one that the set has under its kid
	otherKey        // it is signed with none of those
)

// signedUnder holds the signature of a token against the keys that a set has under its kid
// (RFC 7515 §5.2).
func signedUnder(set []byte, raw, kid string) int {
	var keys jose.JSONWebKeySet
	if json.Unmarshal(set, &keys) != nil {
		return untold
	}
	var algorithms []jose.SignatureAlgorithm
	for _, name := range contract.SignatureAlgorithms() {
		algorithms = append(algorithms, jose.SignatureAlgorithm(name))
	}
	token, err := jose.ParseSignedCompact(raw, algorithms)
	if err != nil {
		return untold
	}
	found := untold
	for _, key := range keys.Key(kid) {
		if _, err := token.Verify(key); err == nil {
			return thatKey
		}
		found = otherKey
	}
	return found
}
