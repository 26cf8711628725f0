package jwt

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/time/rate"

	"github.com/rehearse-dev/rehearse/fakes/standin"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// issuerDisturbances are the ways in which an issuer misbehaves, beside those of
// whoever reads what is published.
var issuerDisturbances = map[string]func(string) error{
	contract.OrderJWKS: func(value string) error {
		how, limit, err := sparingly(value)
		if err != nil || limit < 0 {
			return fmt.Errorf("want an answer, and a limit per second after it, in %q", value)
		}
		return standin.OneOf("429", "500", "503", "503-empty", "empty", "garbage")(how)
	},
	contract.OrderKid:   standin.OneOf("none", "same", "old"),
	contract.OrderClock: standin.CheckShift,
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

// sparingly reads an order for the key set: an answer, and after a space how many
// requests a second are left alone (0, or nothing: none).
func sparingly(value string) (how string, limit float64, err error) {
	how, rest, limited := strings.Cut(value, " ")
	if limited {
		limit, err = strconv.ParseFloat(rest, 64)
	}
	return how, limit, err
}

// untilSpent answers as usual until the rate that an order allows is spent.
type untilSpent struct {
	mu    sync.Mutex
	order string
	left  *rate.Limiter
}

// answer is how a request is to be answered under an order; "" is as usual.
func (s *untilSpent) answer(order string) string {
	how, limit, _ := sparingly(order) // it was checked when it was ordered
	if limit <= 0 {
		return how
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.order != order {
		s.order, s.left = order, rate.NewLimiter(rate.Limit(limit), int(max(1, limit)))
	}
	if s.left.Allow() {
		return ""
	}
	return how
}

// naming is how keys are named: in the set, and in the header of tokens.
func (i *issuer) naming(ordered string) kidNames {
	switch ordered {
	case "none":
		return kidNames{inSet: func(kid string) string { return kid }, inToken: func(string) string { return "" }}
	case "same":
		first := i.first
		same := func(string) string { return first }
		return kidNames{inSet: same, inToken: same}
	case "old":
		first := i.first
		return kidNames{inSet: ownNames.inSet, inToken: func(string) string { return first }}
	}
	return ownNames
}

// kidNames turns the kid of a key into the name that the set and a token's header give it.
type kidNames struct{ inSet, inToken func(kid string) string }

// ownNames leaves every key its own.
var ownNames = kidNames{
	inSet:   func(kid string) string { return kid },
	inToken: func(kid string) string { return kid },
}
