package harness

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// variable is the value of a word such as {{ .env.CLIENT_SECRET }}: a variable of the shell that
// rehearse was started from.
func variable(w contract.Word) (value string, ok bool) {
	name, of := w.Of()
	if name != "env" || of == "" {
		return "", false
	}
	return os.Getenv(of), true
}

// missingVariables reports the variables that clients of a plan use and the shell does not have, by
// their place in the scenario, before anything is started. The error is source.Problems.
func missingVariables(p *plan.Plan) error {
	var problems source.Problems
	for i, c := range p.Rehearsal.Load {
		if c.Token == nil {
			continue
		}
		texts := c.Token.Texts()
		for _, key := range slices.Sorted(maps.Keys(texts)) {
			words, _ := contract.Words(texts[key]) // an invalid word was refused when the scenario was loaded
			for _, w := range words {
				if value, ok := variable(w); !ok || value != "" {
					continue
				}
				_, name := w.Of()
				problems = append(problems, problemAt(p, fmt.Sprintf("load[%d].token.%s", i, key),
					"set it in the shell that rehearse is started from", "the variable %s is not set, or empty", name))
			}
		}
	}
	return problems.Err()
}

// filled is a call with the shell's variables filled in; their values are kept out of everything the
// run writes.
func (r *run) filled(call contract.TokenCall) contract.TokenCall {
	call, _ = call.Filled(func(text string) (string, error) { // nothing fails here
		return contract.Fill(text, func(w contract.Word) (contract.Value, bool) {
			value, ok := variable(w)
			if ok && !slices.Contains(r.secrets, value) {
				r.secrets = append(r.secrets, value)
			}
			return contract.Text(value), ok
		}), nil
	})
	return call
}

// claimsOf are further claims of a client's tokens, as JSON; "" where there are none.
func claimsOf(t *scenario.Token) string {
	if len(t.Claims) == 0 {
		return ""
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(t.Claims) != nil { // the scenario was read from YAML: it has JSON's types
		return ""
	}
	return strings.TrimSpace(text.String())
}
