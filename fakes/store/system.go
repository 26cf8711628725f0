package store

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Version is what sys/health says of the embedded store: the Vault whose
// answers it was held against, and that it is none.
const Version = "1.21.0+embedded"

// health answers sys/health, which needs no token, with 503 while it is sealed.
// A store in memory is always initialised.
func (s *Server) health(r *http.Request) *response {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return refuse(http.StatusMethodNotAllowed)
	}
	s.mu.Lock()
	sealed := s.sealed
	s.mu.Unlock()
	status := http.StatusOK
	if sealed {
		status = http.StatusServiceUnavailable
	}
	return &response{status: status, bare: map[string]any{
		"initialized": true, "sealed": sealed, "standby": false, "performance_standby": false,
		"replication_performance_mode": "disabled", "replication_dr_mode": "disabled",
		"server_time_utc": time.Now().Unix(), "version": Version, "enterprise": false,
		"cluster_name": "embedded", "cluster_id": "embedded", "echo_duration_ms": 0, "clock_skew_ms": 0,
		"replication_primary_canary_age_ms": 0,
	}}
}

// system answers sys/….
func (s *Server) system(req *request, path string) *response {
	kind, name, _ := strings.Cut(path, "/")
	var resp *response
	switch {
	case kind == "mounts":
		resp = s.mount(req, name)
	case strings.HasPrefix(path, "policies/acl"):
		resp = s.policy(req, strings.TrimPrefix(strings.TrimPrefix(path, "policies/acl"), "/"))
	case kind == "audit":
		resp = s.auditDevice(req, name)
	case path == "seal" && req.operation == update && s.unsealKey != "": // else nothing could open it again
		resp = s.seal()
	default:
		return refuse(http.StatusNotFound, errorList("unsupported path"))
	}
	if resp.errors == nil && resp.status == http.StatusOK {
		resp.mountType = "system"
	}
	return resp
}

// mount answers sys/mounts and sys/mounts/PATH.
func (s *Server) mount(req *request, name string) *response {
	point := strings.TrimSuffix(name, "/") + "/"
	switch {
	case name == "" && req.operation == read:
		all := map[string]any{}
		for p, e := range s.mounts {
			all[p] = e.describe()
		}
		return &response{status: http.StatusOK, data: all, flat: true}
	case name == "":
		return unsupported()
	case req.operation == read:
		e := s.mounts[point]
		if e == nil {
			return refuse(http.StatusBadRequest, "No secret engine mount at "+point)
		}
		return &response{status: http.StatusOK, data: e.describe(), flat: true}
	case req.operation == update:
		return s.addMount(req, point)
	case req.operation == remove:
		delete(s.mounts, point)
		return done()
	}
	return unsupported()
}

func (s *Server) addMount(req *request, point string) *response {
	kind := req.fields.text("type")
	options, err := req.fields.object("options")
	if err != nil {
		return refuse(http.StatusBadRequest, err.Error())
	}
	switch {
	case kind == "":
		return refuse(http.StatusBadRequest, "backend type must be specified as a string")
	case kind == "kv" && fields(options).text("version") != "2":
		return refuse(http.StatusBadRequest, "the embedded store has version 2 of the KV engine only: say options.version")
	case kind != "kv" && kind != "kv-v2":
		return refuse(http.StatusBadRequest, "plugin not found in the catalog: "+kind)
	}
	for _, own := range []string{"sys/", "auth/", "identity/", "cubbyhole/"} {
		if strings.HasPrefix(point, own) {
			return refuse(http.StatusBadRequest, fmt.Sprintf("cannot mount %q", point))
		}
	}
	for p := range s.mounts {
		if strings.HasPrefix(point, p) || strings.HasPrefix(p, point) {
			return refuse(http.StatusBadRequest, "path is already in use at "+p)
		}
	}
	s.mounts[point] = newEngine(req.fields.text("description"))
	return done()
}

// policy answers sys/policies/acl and sys/policies/acl/NAME.
func (s *Server) policy(req *request, name string) *response {
	name = strings.ToLower(name)
	switch {
	case name == "" && req.operation == list:
		names := append(slices.Collect(maps.Keys(s.policies)), "root")
		slices.Sort(names)
		return &response{status: http.StatusOK, data: map[string]any{"keys": names}}
	case name == "":
		return unsupported()
	case req.operation == read:
		p, ok := s.policies[name]
		if !ok {
			return refuse(http.StatusNotFound)
		}
		return &response{status: http.StatusOK, data: map[string]any{"name": name, "policy": p.text}}
	case req.operation == update:
		text := req.fields.text("policy")
		if text == "" {
			return refuse(http.StatusBadRequest, errNoPolicy.Error())
		}
		if name == "root" {
			return refuse(http.StatusBadRequest, `cannot update "root" policy`)
		}
		p, err := parsePolicy(text)
		if err != nil {
			return refuse(http.StatusBadRequest, err.Error())
		}
		s.policies[name] = p
		return done()
	case req.operation == remove:
		switch name {
		case "root":
			return refuse(http.StatusBadRequest, `cannot delete "root" policy`)
		case "default":
			return refuse(http.StatusBadRequest, "cannot delete default policy")
		}
		delete(s.policies, name)
		return done()
	}
	return unsupported()
}

// auditDevice answers sys/audit/NAME: a file device on standard output can be
// enabled and disabled.
func (s *Server) auditDevice(req *request, name string) *response {
	switch {
	case name == "":
		return unsupported()
	case req.operation == remove:
		s.audit.disable(name)
		return done()
	case req.operation != update:
		return unsupported()
	}
	options, err := req.fields.object("options")
	if err != nil {
		return refuse(http.StatusBadRequest, err.Error())
	}
	kind, path := req.fields.text("type"), fields(options).text("file_path")
	switch {
	case s.audit.enabled(name):
		return refuse(http.StatusBadRequest, "path already in use: invalid configuration")
	case kind != "file":
		return refuse(http.StatusBadRequest, fmt.Sprintf("unknown backend type: %s: invalid configuration", strconv.Quote(kind)))
	case path == "":
		return refuse(http.StatusBadRequest, `unable to create new audit backend: "file_path" is required: invalid configuration`)
	case path != "stdout":
		return refuse(http.StatusBadRequest, "the embedded store writes audit lines to stdout only: invalid configuration")
	}
	s.audit.enable(name)
	return done()
}
