package store

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Server is the embedded store as an http.Handler. Use New.
type Server struct {
	// mu guards all below: requests are short, and a rehearsal makes few.
	mu       sync.Mutex
	mounts   map[string]*engine // by path, with its trailing slash
	policies map[string]policy
	tokens   *tokens
	audit    *auditor
	served   int64 // requests answered, refused ones included
	sealed   bool
	// unsealKey is set before the first request.
	unsealKey string
}

var _ http.Handler = (*Server)(nil)

// New is an empty store in which rootToken may do everything. Audit lines go
// to log once a request has enabled a device.
func New(rootToken string, log io.Writer) *Server {
	return &Server{
		mounts:   map[string]*engine{},
		policies: map[string]policy{"default": defaultPolicy},
		tokens:   newTokens(rootToken, time.Now()),
		audit:    newAuditor(log),
	}
}

// operation is what a request asks for, in Vault's words; policies and audit
// lines use them.
type operation string

const (
	read   operation = "read"
	list   operation = "list"
	create operation = "create"
	update operation = "update"
	remove operation = "delete"
)

// request is one call on the API.
type request struct {
	id        string
	operation operation
	path      string // below /v1/; a list's ends in a slash, as Vault has it
	version   string // the query parameter of the same name
	fields    fields // the body
	secret    string // the token as presented
	token     *token // the token as known; nil where it is not
	remote    string
	agent     string
	now       time.Time
}

// attribution says who did a request; KV metadata shows it.
func (r *request) attribution() *attribution {
	return &attribution{Actor: r.token.displayName, Operation: r.operation, ClientID: r.token.clientID()}
}

// ServeHTTP answers one request. Beside Vault's API below /v1/ there is what
// every stand-in has: GET /healthz and GET /rehearse/status.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/healthz":
		(&response{status: http.StatusOK, bare: map[string]string{"status": "ready"}}).write(w)
		return
	case "/rehearse/status":
		(&response{status: http.StatusOK, bare: s.status()}).write(w)
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/v1/")
	if !ok {
		refuse(http.StatusNotFound).write(w)
		return
	}
	if path == "sys/health" {
		s.health(r).write(w)
		return
	}
	if path == "sys/unseal" {
		s.unseal(w, r).write(w)
		return
	}
	op, ok := operationOf(r)
	if !ok {
		refuse(http.StatusMethodNotAllowed).write(w)
		return
	}
	body, refused := readFields(w, r)
	if refused != nil {
		refused.write(w)
		return
	}
	if op == list && !strings.HasSuffix(path, "/") {
		path += "/"
	}
	s.answer(&request{
		id: newID(), operation: op, path: path, version: r.URL.Query().Get("version"), fields: body,
		secret: presented(r), remote: r.RemoteAddr, agent: r.UserAgent(), now: time.Now(),
	}).write(w)
}

// status are the server's counters.
func (s *Server) status() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return map[string]int64{"served": s.served}
}

// operationOf reads the operation from method and query.
func operationOf(r *http.Request) (operation, bool) {
	switch r.Method {
	case http.MethodGet:
		if l := r.URL.Query().Get("list"); l == "true" || l == "1" {
			return list, true
		}
		return read, true
	case "LIST":
		return list, true
	case http.MethodPost, http.MethodPut:
		return update, true
	case http.MethodDelete:
		return remove, true
	}
	return "", false
}

// presented is the token of a request, from either header that Vault takes.
func presented(r *http.Request) string {
	if t := r.Header.Get("X-Vault-Token"); t != "" {
		return t
	}
	t, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return t
}

// answer checks, carries out and audits a request, in the order that Vault has:
// form, token, policy, route, deed.
func (s *Server) answer(req *request) *response {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.served++
	if s.sealed {
		return refuse(http.StatusServiceUnavailable, errSealed)
	}
	if req.operation == update && strings.HasSuffix(req.path, "/") {
		return refuse(http.StatusBadRequest, "cannot write to a path ending in '/'")
	}
	req.token = s.tokens.find(req.secret, req.now)
	mount, point := s.mountOf(req.path)
	if mount != nil && req.operation == update && mount.creates(strings.TrimPrefix(req.path, point)) {
		req.operation = create
	}
	refused := s.authorise(req)
	if err := s.audit.request(req, refused); err != nil {
		return refuse(http.StatusInternalServerError, err.Error())
	}
	resp := refused
	if resp == nil {
		resp = s.route(req, mount, point)
	}
	if err := s.audit.response(req, resp); err != nil {
		return refuse(http.StatusInternalServerError, err.Error())
	}
	resp.id = req.id
	return resp
}

// authorise refuses a request whose token is unknown or whose policies do not
// allow it; nil where they do.
func (s *Server) authorise(req *request) *response {
	switch {
	case req.secret == "":
		return refuse(http.StatusForbidden, "permission denied")
	case req.token == nil:
		return refuse(http.StatusForbidden, errorList("permission denied", "invalid token"))
	case !s.allows(req.token, req.operation, req.path):
		return refuse(http.StatusForbidden, errorList("permission denied"))
	}
	return nil
}

// route finds what answers a request.
func (s *Server) route(req *request, mount *engine, point string) *response {
	switch {
	case mount != nil:
		return mount.handle(req, strings.TrimPrefix(req.path, point))
	case strings.HasPrefix(req.path, "sys/"):
		return s.system(req, strings.TrimPrefix(req.path, "sys/"))
	case strings.HasPrefix(req.path, "auth/token/"):
		return s.tokenPath(req, strings.TrimPrefix(req.path, "auth/token/"))
	}
	return refuse(http.StatusNotFound, fmt.Sprintf("no handler for route %q. route entry not found.", req.path))
}

// mountOf finds the engine that is mounted over a path, and where. A mount's
// own path without its slash belongs to it.
func (s *Server) mountOf(path string) (*engine, string) {
	for point, e := range s.mounts {
		if strings.HasPrefix(path, point) {
			return e, point
		}
		if path+"/" == point {
			return e, path
		}
	}
	return nil, ""
}

// response is an answer before it is written.
type response struct {
	status    int
	errors    []string // what was refused; nil where nothing was
	id        string
	data      any
	auth      any
	warnings  []string
	mountType string
	// flat says that the data are also members of the body itself, as those of
	// some paths below sys/ are.
	flat bool
	// bare is the whole body where Vault's usual frame is not around it.
	bare any
}

// refuse is an answer with errors; Vault says [] where it has none to tell.
func refuse(status int, errors ...string) *response {
	return &response{status: status, errors: append([]string{}, errors...)}
}

// done is the answer to a change that has nothing to tell.
func done() *response { return &response{status: http.StatusNoContent} }

// unsupported is the answer to an operation that a path does not have.
func unsupported() *response {
	return refuse(http.StatusMethodNotAllowed, errorList("unsupported operation"))
}

// errorList words errors as go-multierror does, which Vault shows as it is.
func errorList(errors ...string) string {
	var b strings.Builder
	if len(errors) == 1 {
		b.WriteString("1 error occurred:\n")
	} else {
		fmt.Fprintf(&b, "%d errors occurred:\n", len(errors))
	}
	for _, e := range errors {
		fmt.Fprintf(&b, "\t* %s\n", e)
	}
	b.WriteString("\n")
	return b.String()
}

// warn adds the warning about fields of the body that a path does not know.
func (r *response) warn(unknown []string) *response {
	if len(unknown) > 0 && r.errors == nil {
		r.warnings = append(r.warnings, fmt.Sprintf("Endpoint ignored these unrecognized parameters: [%s]", strings.Join(unknown, " ")))
	}
	return r
}

// write puts the answer on the wire. A client that is gone is no trouble of
// the server's, and there is no one left to tell.
func (r *response) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(r.status)
	if r.status == http.StatusNoContent {
		return
	}
	_ = json.NewEncoder(w).Encode(r.body())
}

// body is the JSON document of an answer.
func (r *response) body() any {
	if r.errors != nil {
		return map[string]any{"errors": r.errors}
	}
	if r.bare != nil {
		return r.bare
	}
	body := map[string]any{}
	if members, ok := r.data.(map[string]any); ok && r.flat {
		maps.Copy(body, members)
	}
	maps.Copy(body, map[string]any{
		"request_id": r.id, "lease_id": "", "renewable": false, "lease_duration": 0,
		"data": r.data, "wrap_info": nil, "warnings": r.warnings, "auth": r.auth, "mount_type": r.mountType,
	})
	return body
}
