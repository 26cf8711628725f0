package attached

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/attached/program"
	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/family"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// errOther says that the endpoint gave a token of another credential.
var errOther = errors.New("it gives tokens of another credential")

// token is a team's token, with what its header and claims say.
type token struct {
	raw, identifier string
	expiry          time.Time // zero: it does not say
}

// tokens gives the probes their tokens.
type tokens struct {
	system *System
	say    scenario.Tokens
}

// tokensOf is the scenario's description of tokens, with defaults for a stand-in's endpoint.
func tokensOf(p *plan.Plan) scenario.Tokens {
	var t scenario.Tokens
	if said := p.Rehearsal.Attach.Tokens; said != nil {
		t = *said
	}
	t.TokenCall = t.Or(map[string]string{"client": family.ProbeAgent, "session": "probe", "life": "{{ .life }}"})
	t.From = tokensFrom(p)
	return t
}

func newTokens(s *System) *tokens { return &tokens{system: s, say: tokensOf(s.plan)} }

// byName reports whether tokens of any accepted credential can be fetched, and not only of the one in
// use.
func byName(t scenario.Tokens) bool { return uses(t, "identifier", "credential") }

// uses reports whether what is asked for depends on any of some words.
func uses(t scenario.Tokens, words ...string) bool {
	texts := slices.Concat(t.Command, slices.Collect(maps.Values(t.Texts())))
	for _, m := range scenario.Mentions(texts...) {
		for _, word := range words {
			if m.Name == word && m.Part == "" {
				return true
			}
		}
	}
	return false
}

// get fetches a token with some life: of a credential, or of the one in use for "". An error never
// holds any of it.
func (t *tokens) get(ctx context.Context, credential string, life time.Duration) (token, error) {
	wanted := ""
	seconds := strconv.FormatInt(int64((life+time.Second-1)/time.Second), 10)
	words := map[string]string{"life": life.String(), "seconds": seconds, "credential": credential}
	if credential != "" {
		wanted = t.system.Identifier(credential)
		words["identifier"] = wanted
	}
	ctx, cancel := context.WithTimeout(ctx, DefaultTimeout)
	defer cancel()
	ask := t.fetch
	if len(t.say.Command) > 0 {
		ask = t.print
	}
	raw, err := ask(ctx, words)
	if err != nil {
		return token{}, err
	}
	got, err := read(raw)
	if err != nil {
		return token{}, err
	}
	if wanted != "" && got.identifier != wanted {
		return token{}, fmt.Errorf("get a token of %s: %w", credential, errOther)
	}
	return got, nil
}

// fetch asks the token endpoint.
func (t *tokens) fetch(ctx context.Context, words map[string]string) (string, error) {
	call, err := t.say.Filled(func(text string) (string, error) { return t.system.fill(text, words), nil })
	if err != nil {
		return "", fmt.Errorf("get a token of %s: %w", t.say.From, err)
	}
	maps.DeleteFunc(call.Form, func(_, value string) bool { return value == "" }) // unknown words are left out
	answer, err := call.Ask(ctx, caller, t.system.endpoints[t.say.From].URL, family.ProbeAgent)
	if err != nil {
		return "", fmt.Errorf("get a token of %s: %w", t.say.From, err)
	}
	return answer.Token, nil
}

// print runs the command that prints a token.
func (t *tokens) print(ctx context.Context, words map[string]string) (string, error) {
	command := make([]string, len(t.say.Command))
	for i, word := range t.say.Command {
		command[i] = t.system.fill(word, words)
	}
	var said program.Output
	if err := (program.Program{Words: command, Dir: t.system.dir}).Run(ctx, &said); err != nil {
		return "", fmt.Errorf("get a token by %s: %w", command[0], err)
	}
	return lastLine(said.Out.String()), nil
}

// read reads the header and the claims of a JWT (RFC 7515 §3.1) without
// checking anything.
func read(raw string) (token, error) {
	parts := strings.Split(raw, ".")
	var header struct {
		Kid string `json:"kid"`
	}
	var claims struct {
		Expiry float64 `json:"exp"`
	}
	if len(parts) != 3 || contract.DecodePart(parts[0], &header) != nil || contract.DecodePart(parts[1], &claims) != nil {
		return token{}, errors.New("read a token: it is no JWT")
	}
	if header.Kid == "" {
		return token{}, errors.New("read a token: it has no kid, by which its credential would be known")
	}
	got := token{raw: raw, identifier: header.Kid}
	if claims.Expiry > 0 {
		got.expiry = time.UnixMilli(int64(claims.Expiry * 1000))
	}
	return got, nil
}
