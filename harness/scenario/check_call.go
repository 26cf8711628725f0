package scenario

import (
	"net/http"
	"strings"
)

// taken are the beginnings of paths that a provider has for other things.
var taken = []string{"/admin/", "/balance", "/charges", "/dashboard", "/healthz", "/rehearse/"}

// called holds against its kind how a service is called.
func (c check) called(at string, s Service) {
	call := s.Call
	if call == nil {
		return
	}
	path := at + ".call"
	switch {
	case s.External():
		c.misplaced(path, "is for a provider: of a receiver the path is all that can be another", "method", "header", "answers", "refuses")
	case s.Serve != "provider":
		c.Report(path, "", "is for a provider, and for a receiver of your own")
		return
	}
	if !strings.HasPrefix(call.Path, "/") || strings.ContainsAny(call.Path, "{}?# ") {
		c.Report(path+".path", "as /v1/charges", "%q is not a path", call.Path)
	}
	for _, prefix := range taken {
		if s.Serve == "provider" && strings.HasPrefix(call.Path+"/", prefix) {
			c.Report(path+".path", "another; stand-ins charge at /charges", "%q is a path of the provider's own", call.Path)
			break
		}
	}
	if strings.Trim(call.Method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		c.Report(path+".method", "as POST", "%q is not a method", call.Method)
	}
	if !isHeader(call.Header) {
		c.Report(path+".header", `X-Api-Key, or "Authorization: Token"`, "%q is not NAME or NAME: SCHEME", call.Header)
	}
	if c.Has(path+".answers") && (call.Answers < http.StatusOK || call.Answers >= http.StatusMultipleChoices) {
		c.Report(path+".answers", "201 without it", "%d is no status of a success", call.Answers)
	}
	if c.Has(path+".refuses") && (call.Refuses < http.StatusBadRequest || call.Refuses >= http.StatusInternalServerError) {
		c.Report(path+".refuses", "401 without it", "%d is no status of a refusal", call.Refuses)
	}
}

// isHeader reports whether a text says in which header a credential is presented:
// NAME, or NAME: SCHEME; "" does, too.
func isHeader(text string) bool {
	name, scheme, _ := strings.Cut(text, ":")
	return text == "" || name != "" && !strings.ContainsAny(name, " \t/\"") && !strings.ContainsAny(strings.TrimSpace(scheme), " \t:")
}
