package fakes

import (
	"net/http"
	"strconv"
)

// issuerDisturbances are the ways in which an issuer misbehaves, beside those of
// whoever reads what is published.
var issuerDisturbances = map[string]func(string) error{
	DisturbJWKS:  oneOf("429", "500", "503", "503-empty", "empty", "garbage"),
	DisturbKid:   oneOf("none", "same"),
	DisturbClock: aShift,
}

// emptySet is a key set without keys: some libraries take it for one whatever
// the status is that it comes with.
const emptySet = `{"keys":[]}`

// answerBadly answers for the key set as it was ordered. What is in the body of
// an error matters to those who do not look at its status.
func answerBadly(w http.ResponseWriter, how string) {
	w.Header().Set("Content-Type", "application/json")
	status, body := http.StatusOK, emptySet
	switch how {
	case "empty":
	case "garbage":
		body = `{"keys":[{"kty":"EC","crv":"P-256","x":`
	case "503-empty":
		status = http.StatusServiceUnavailable
	default:
		status, _ = strconv.Atoi(how) // it was checked when it was ordered
		body = `{"error":"` + http.StatusText(status) + `"}`
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body)) // an error is that of a client that left
}

// naming is how keys are named: in the set, and in the header of tokens.
func (i *issuer) naming(ordered string) naming {
	switch ordered {
	case "none":
		return naming{inSet: func(kid string) string { return kid }, inToken: func(string) string { return "" }}
	case "same":
		first := i.first
		same := func(string) string { return first }
		return naming{inSet: same, inToken: same}
	}
	return ownNames
}

// naming turns the kid of a key into what it is called.
type naming struct{ inSet, inToken func(kid string) string }

// ownNames leaves every key its own.
var ownNames = naming{
	inSet:   func(kid string) string { return kid },
	inToken: func(kid string) string { return kid },
}
