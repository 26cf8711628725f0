package attached

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/attached/program"
	"github.com/rehearse-dev/rehearse/harness/leak"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/vaultpath"
)

const (
	// DefaultTimeout bounds an act that says no time.
	DefaultTimeout = 30 * time.Second
	// rolloutTimeout bounds an act with a rollout. Twice a Deployment's default progress deadline is
	// too long to wait unasked.
	rolloutTimeout = 5 * time.Minute
	// maxAnswer bounds how much of an answer is read.
	maxAnswer = 1 << 20
)

// Neither uses a proxy of the shell: the scenario names what is called.
var (
	// caller follows no redirect. Its target, mostly a login page, would answer for a step that was
	// never taken, and would receive the request's headers.
	caller = &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	// looker reads only what is public: a key set, a counter.
	looker = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
)

// vaultToken is the variable with the token of a Vault.
func vaultToken(v *scenario.VaultAt) string {
	if v.TokenEnv != "" {
		return v.TokenEnv
	}
	return scenario.DefaultVaultToken
}

func timeoutOf(a scenario.Act) time.Duration {
	if a.Timeout > 0 {
		return a.Timeout.Duration()
	}
	if a.Rollout != "" {
		return rolloutTimeout
	}
	return DefaultTimeout
}

// act takes a team's step with a credential, and returns what a command printed or an answer. A begun
// act is not cut short by an interrupt: half a step is worse than one that has to be undone.
func (s *System) act(ctx context.Context, step, credential string) (string, error) {
	return s.do(ctx, s.attach.Steps[step], step, credential)
}

// do does one act, which errors and logs call by a name.
func (s *System) do(ctx context.Context, act scenario.Act, step, credential string) (string, error) {
	timeout := timeoutOf(act)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	return s.doWithin(ctx, act, step, credential, timeout)
}

// doWithin does one act in a context that lasts for some time.
func (s *System) doWithin(ctx context.Context, act scenario.Act, step, credential string, timeout time.Duration) (string, error) {
	var out string
	var err error
	switch {
	case act.HTTP != nil:
		out, err = s.call(ctx, act.HTTP, credential)
	case act.Vault != nil:
		out, err = s.write(ctx, act.Vault, credential)
	case act.Kube():
		err = s.inCluster(ctx, act, step, credential)
	default:
		out, err = s.command(ctx, act, step, credential)
	}
	switch {
	case err == nil || !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return out, err
	case errors.Is(err, program.ErrSurvived):
		return "", fmt.Errorf("%s took longer than %s: %w", describe(act), timeout, program.ErrSurvived)
	case len(act.Command) > 0:
		var failed commandError
		errors.As(err, &failed)
		return "", fmt.Errorf("%s took longer than %s, and was ended with all that it had started%s", describe(act), timeout, failed.told())
	}
	return "", fmt.Errorf("%s was not answered within %s, and the call was cancelled", describe(act), timeout)
}

// render fills in a text of an act.
func (s *System) render(text, credential string) string {
	return s.fill(text, map[string]string{"credential": credential, "identifier": s.Identifier(credential)})
}

// fill replaces what a text mentions: words, addresses, the environment.
func (s *System) fill(text string, words map[string]string) string {
	return scenario.ReplaceMentions(text, func(m scenario.Mention) string {
		switch {
		case m.Name == "env":
			return s.getenv(m.Part)
		case m.Part == "url":
			return s.endpoints[m.Name].URL
		}
		return words[m.Name]
	})
}

// commandError is a command that failed, with the last of what it wrote.
type commandError struct {
	does, words string
	err         error
}

func (e commandError) Error() string {
	return fmt.Sprintf("run %s: %s%s (all that it printed is in the log of the steps)", e.does, e.err, e.told())
}

func (e commandError) Unwrap() error { return e.err }

// told is the half sentence with the command's last words.
func (e commandError) told() string {
	if e.words == "" {
		return ""
	}
	return fmt.Sprintf("; the last that it wrote: %q", e.words)
}

// command runs a program in the scenario's folder. Its output goes to the log of the run, and an error has
// the last lines, both with secrets and what may be one blacked out.
func (s *System) command(ctx context.Context, act scenario.Act, step, credential string) (string, error) {
	words := make([]string, len(act.Command))
	for i, word := range act.Command {
		words[i] = s.render(word, credential)
	}
	environment := []string{"REHEARSE_STEP=" + step, "REHEARSE_CREDENTIAL=" + credential, "REHEARSE_IDENTIFIER=" + s.Identifier(credential)}
	for name, value := range act.Environment {
		environment = append(environment, name+"="+s.render(value, credential))
	}
	var said program.Output
	err := program.Program{Words: words, Dir: s.dir, Environment: environment}.Run(ctx, &said)
	printed := said.Out.String()
	if s.attach.Value != nil && step == "value" || act.Secret != nil {
		printed = "" // it is nobody else's
	}
	if err == nil && (step == "current" || step == "new") {
		printed = "" // probes run often, and the history has their results
	}
	if err == nil && step == scenario.MakeStep {
		printed = "" // Make logs it when it knows what is a value in it
	}
	s.logLines(step, printed+said.Complaints.String())
	if err != nil {
		words := said
		if printed == "" {
			words.Out.Reset()
		}
		return "", commandError{does: describe(act), words: s.lastWords(&words), err: err}
	}
	return said.Out.String(), nil
}

// logLines writes lines of a step to the log of the steps, without secrets.
func (s *System) logLines(step, text string) {
	scanner := leak.New(s.Secrets())
	for line := range strings.Lines(text) {
		s.log(step + ": " + withoutSecrets(scanner, strings.TrimRight(line, "\r\n")))
	}
}

// inCluster does what an act has to do in the cluster.
func (s *System) inCluster(ctx context.Context, act scenario.Act, step, credential string) error {
	words := map[string]string{"credential": credential, "identifier": s.Identifier(credential)}
	if len(act.Command) > 0 {
		out, err := s.command(ctx, act, step, credential)
		if err != nil {
			return err
		}
		words["printed"] = strings.TrimSuffix(out, "\n")
		s.mu.Lock()
		s.secrets = append(s.secrets, words["printed"])
		s.mu.Unlock()
	}
	data, annotation := map[string]string{}, ""
	if act.Secret != nil {
		if slices.ContainsFunc(scenario.Mentions(slices.Collect(maps.Values(act.Secret.Data))...), func(m scenario.Mention) bool { return m.Name == "value" }) {
			value, err := s.learn(ctx, credential)
			if err != nil {
				return err
			}
			words["value"] = value
		}
		for key, text := range act.Secret.Data {
			data[key] = s.fill(text, words)
		}
	}
	if act.Annotate != nil {
		annotation = s.fill(act.Annotate.Value, words)
	}
	return s.cluster.Do(ctx, step, credential, act, data, annotation)
}

// call makes an HTTP request.
func (s *System) call(ctx context.Context, call *scenario.Call, credential string) (string, error) {
	method := call.Method
	if method == "" {
		method = http.MethodPost
	}
	header := http.Header{}
	for name, value := range call.Headers {
		header.Set(name, s.render(value, credential))
	}
	return send(ctx, caller, method, s.render(call.URL, credential), header, s.render(call.Body, credential))
}

// write writes to Vault. A patch is a JSON merge patch, as KV v2 takes it.
func (s *System) write(ctx context.Context, w *scenario.Write, credential string) (string, error) {
	path := s.render(w.Path, credential)
	if err := vaultpath.Written(path); err != nil { // a filled-in word may hold anything
		return "", fmt.Errorf("write to Vault: %w", err)
	}
	body, err := json.Marshal(s.rendered(w.Data, credential))
	if err != nil {
		return "", fmt.Errorf("encode what is written to %s: %w", w.Path, err)
	}
	header := http.Header{"X-Vault-Token": {s.getenv(vaultToken(s.attach.Vault))}, "Content-Type": {"application/json"}}
	method := http.MethodPost
	if w.Patch {
		method = http.MethodPatch
		header.Set("Content-Type", "application/merge-patch+json")
	}
	return send(ctx, caller, method, strings.TrimSuffix(s.attach.Vault.URL, "/")+"/v1/"+path, header, string(body))
}

// rendered is a document with every text in it filled in.
func (s *System) rendered(value any, credential string) any {
	switch value := value.(type) {
	case string:
		return s.render(value, credential)
	case []any:
		out := make([]any, len(value))
		for i, child := range value {
			out[i] = s.rendered(child, credential)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(value))
		for key, child := range value {
			out[key] = s.rendered(child, credential)
		}
		return out
	}
	return value
}

// send makes a request and wants a success (2xx). An error has the status and
// never the answer, which may hold anything.
func send(ctx context.Context, by *http.Client, method, url string, header http.Header, body string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", method, url, err)
	}
	req.Header = header
	resp, err := by.Do(req)
	if err != nil {
		return "", fmt.Errorf("%s: %w", method, err) // the client's error would quote the address
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return "", fmt.Errorf("%s %s answered %s", method, url, resp.Status)
	}
	if err != nil {
		return "", fmt.Errorf("%s %s: read the answer: %w", method, url, err)
	}
	return string(answer), nil
}

// at is the text at a path of a JSON document: data.keys.0.kid.
func at(document, path string) (string, error) {
	decoder := json.NewDecoder(strings.NewReader(document))
	decoder.UseNumber()
	var node any
	if err := decoder.Decode(&node); err != nil {
		return "", fmt.Errorf("find %s in the answer: it is no JSON", path)
	}
	for _, key := range strings.Split(path, ".") {
		switch parent := node.(type) {
		case map[string]any:
			node = parent[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(parent) {
				return "", fmt.Errorf("find %s in the answer: there is no %s", path, key)
			}
			node = parent[i]
		default:
			node = nil
		}
	}
	switch value := node.(type) {
	case string:
		return value, nil
	case json.Number:
		return value.String(), nil
	}
	return "", fmt.Errorf("find %s in the answer: there is no text or number", path)
}

// lastLine is the last line of a text that is not empty.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
