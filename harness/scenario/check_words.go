package scenario

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// settings hold each text of a service of a team's own against what can be
// filled in there, at its own place in the file.
func (c check) settings(at string, s Service) {
	for i, text := range s.Command {
		c.setting(fmt.Sprintf("%s.command[%d]", at, i), text, s)
	}
	for i, command := range s.Init {
		for j, text := range command {
			c.setting(fmt.Sprintf("%s.init[%d][%d]", at, i, j), text, s)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Environment)) {
		path := source.Join(at+".environment", name)
		if name == "" || strings.Contains(name, "=") || strings.ContainsFunc(name, unicode.IsControl) {
			c.Report(at+".environment", "as JWKS_URL", "%q is no name of a variable", name)
		}
		c.setting(path, s.Environment[name], s)
	}
	for _, file := range slices.Sorted(maps.Keys(s.Files)) {
		c.setting(source.Join(at+".files", file), s.Files[file], s)
	}
	c.asItIs(at+".image", s.Image)
	c.asItIs(at+".healthcheck", s.Healthcheck)
	c.asItIs(at+".agent", s.Agent)
	if r := s.Reload; r != nil && r.HTTP != nil {
		c.asItIs(at+".reload.http.path", r.HTTP.Path)
		c.asItIs(at+".reload.http.body", r.HTTP.Body)
		for _, name := range slices.Sorted(maps.Keys(r.HTTP.Headers)) {
			c.asItIs(source.Join(at+".reload.http.headers", name), r.HTTP.Headers[name])
		}
	}
}

// setting holds one text whose words are filled in before the start.
func (c check) setting(at, text string, of Service) {
	if strings.Contains(text, "\x00") {
		c.Report(at, "leave it out", "has a NUL byte, which no program can be given")
	}
	words, err := contract.Words(text)
	if err != nil {
		c.Report(at, "{{ .NAME.url }} of a service, {{ .store.url }}, {{ .secret.file }}, {{ .scaled.10m.ms }}", "%v", err)
		return
	}
	for _, w := range words {
		c.word(at, w, of)
	}
}

// word holds what a setting of a service asks for against what there is.
func (c check) word(at string, w contract.Word, of Service) {
	name, part := w.Of()
	if name == "scaled" {
		if _, _, err := Scaled(part); err != nil {
			c.Report(at, "as {{ .scaled.10m.ms }}", "%v", err)
		}
		return
	}
	if name == "files" {
		if of.FileNamed(part) == "" {
			c.Report(at, "the last part of the path of one of its files: {{ .files.webhook.env }}", "%s: there is not one file of that name", w)
		}
		return
	}
	have, special := parts[name]
	if name == "secret" {
		have = c.secretWords()
	}
	if !special {
		if have = []string{"host", "port", "url"}; !slices.Contains(runbook.Standing, name) {
			c.service(at, name)
		}
	}
	if !slices.Contains(have, part) {
		c.Report(at, "it has "+strings.Join(have, ", "), "%s: there is no %s", w, part)
	}
}

// secretWords are what can be had of the secret: what its family has, and of all
// families where that is not known.
func (c check) secretWords() []string {
	if c.page != nil {
		if f, built := runbook.Traits[c.page.Scope.Family]; built {
			return f.Words()
		}
	}
	var all []string
	for _, f := range runbook.Traits {
		all = append(all, f.Words()...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// requestWords holds the texts of a request, in which addresses of services are filled in
// and nothing else.
func (c check) requestWords(at string, r Request) {
	texts := map[string]string{"path": r.Path, "body": r.Body}
	for name, text := range r.Headers {
		texts[source.Join("headers", name)] = text
	}
	c.addressed(at, texts, false)
}

// tokenWords holds those of how tokens are asked for, which may have variables of the shell
// besides.
func (c check) tokenWords(at string, t Token) {
	texts := t.Texts()
	texts["iss"], texts["aud"] = t.Issuer, t.Audience
	c.addressed(at, texts, true)
}

// addressed holds texts in which addresses of services are filled in, and variables of the
// shell where they may be.
func (c check) addressed(at string, texts map[string]string, variables bool) {
	also := ""
	if variables {
		also = ", and {{ .env.NAME }}"
	}
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		path := at + "." + key
		words, err := contract.Words(texts[key])
		if err != nil {
			c.Report(path, "{{ .NAME.url }}, .host or .port of a service", "%v", err)
		}
		for _, w := range words {
			name, part := w.Of()
			switch {
			case name == "env" && part != "" && variables:
			case slices.Contains([]string{"host", "port", "url"}, part):
				if !slices.Contains(runbook.Standing, name) {
					c.service(path, name)
				}
			default:
				c.Report(path, "write what it stands for, as a number of seconds at the speed of the run; {{ .NAME.url }}, .host and .port of a service"+also+" are filled in", "%s is not known here", w)
			}
		}
	}
}

// asItIs reports a word in a text in which nothing is filled in.
func (c check) asItIs(at, text string) {
	if words, err := contract.Words(text); err != nil || len(words) > 0 {
		c.Report(at, "write the text itself", "nothing is filled in here, and it has {{")
	}
}
