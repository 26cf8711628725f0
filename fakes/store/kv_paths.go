package store

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// creates reports whether a write to a path below the mount would be its
// first: policies tell create from update.
func (e *engine) creates(path string) bool {
	key, ok := strings.CutPrefix(path, "data/")
	return ok && key != "" && e.entries[key] == nil
}

// handle answers a request for a path below the mount.
func (e *engine) handle(req *request, path string) *response {
	kind, key, _ := strings.Cut(path, "/")
	resp := e.answer(req, kind, key)
	if resp.errors == nil && resp.status < http.StatusBadRequest {
		resp.mountType = "kv"
	}
	return resp
}

func (e *engine) answer(req *request, kind, key string) *response {
	switch {
	case kind == "data" && key != "" && !strings.HasSuffix(key, "/"):
		return e.data(req, key)
	case kind == "metadata" && (key != "" || strings.HasSuffix(req.path, "/")):
		return e.metadata(req, key)
	case key != "" && (kind == "delete" || kind == "undelete" || kind == "destroy"):
		return e.versions(req, kind, key)
	}
	return e.invalid(req, kind, key)
}

// data answers data/PATH.
func (e *engine) data(req *request, key string) *response {
	switch req.operation {
	case read:
		return e.readData(req, key)
	case create, update:
		return e.writeData(req, key).warn(req.fields.unknown("data", "options", "version"))
	case remove:
		if en := e.entries[key]; en != nil {
			if v := en.versions[en.current]; v != nil && v.readable() {
				en.deleteVersions([]int{en.current}, req.attribution(), req.now)
			}
		}
		return done()
	}
	return unsupported()
}

func (e *engine) readData(req *request, key string) *response {
	wanted := 0
	if req.version != "" {
		n, err := strconv.ParseInt(req.version, 0, 0)
		if err != nil {
			return refuse(http.StatusBadRequest, fmt.Sprintf(
				"Field validation failed: error converting input for field \"version\": cannot parse '' as int: %v", err))
		}
		wanted = int(n)
	}
	en := e.entries[key]
	if en == nil {
		return refuse(http.StatusNotFound)
	}
	if wanted <= 0 {
		wanted = en.current
	}
	v := en.versions[wanted]
	if v == nil {
		return refuse(http.StatusNotFound)
	}
	resp := &response{status: http.StatusNotFound}
	var value any
	if v.readable() {
		resp.status = http.StatusOK
		// Read into plain values, so that numbers come back as Vault's do.
		if err := json.Unmarshal(v.data, &value); err != nil {
			return refuse(http.StatusInternalServerError, err.Error())
		}
	}
	resp.data = map[string]any{"data": value, "metadata": v.metadata(wanted)}
	return resp
}

func (e *engine) writeData(req *request, key string) *response {
	if !req.fields.has("data") {
		return refuse(http.StatusBadRequest, "no data provided")
	}
	value, err := req.fields.object("data")
	if err != nil {
		return refuse(http.StatusBadRequest, err.Error())
	}
	cas, given, err := req.fields.checkAndSet()
	if err != nil {
		return refuse(http.StatusBadRequest, err.Error())
	}
	current := 0
	if en := e.entries[key]; en != nil {
		current = en.current
	}
	if given && cas != current {
		return refuse(http.StatusBadRequest, errCASOther.Error())
	}
	data, err := json.Marshal(value)
	if err != nil {
		return refuse(http.StatusInternalServerError, err.Error())
	}
	en := e.put(key, data, req.attribution(), req.now)
	return &response{status: http.StatusOK, data: en.versions[en.current].metadata(en.current)}
}

// metadata answers metadata/PATH: read, list and delete.
func (e *engine) metadata(req *request, key string) *response {
	switch req.operation {
	case read:
		if en := e.entries[key]; en != nil {
			return &response{status: http.StatusOK, data: en.metadata()}
		}
		return refuse(http.StatusNotFound)
	case list:
		names := e.under(key)
		if len(names) == 0 {
			return refuse(http.StatusNotFound)
		}
		return &response{status: http.StatusOK, data: map[string]any{"keys": names}}
	case remove:
		delete(e.entries, key)
		return done()
	}
	return unsupported()
}

// versions answers delete/PATH, undelete/PATH and destroy/PATH.
func (e *engine) versions(req *request, kind, key string) *response {
	if req.operation != update {
		return unsupported()
	}
	numbers, err := req.fields.versions()
	if err != nil {
		return refuse(http.StatusBadRequest, err.Error())
	}
	if len(numbers) == 0 {
		if kind == "destroy" {
			return refuse(http.StatusBadRequest, "no version number provided")
		}
		return refuse(http.StatusBadRequest, "No version number provided")
	}
	if en := e.entries[key]; en != nil {
		switch kind {
		case "delete":
			en.deleteVersions(numbers, req.attribution(), req.now)
		case "undelete":
			en.undelete(numbers, req.attribution())
		case "destroy":
			en.destroy(numbers)
		}
	}
	return done()
}

// invalid answers what is no path of a KV version 2 mount.
func (e *engine) invalid(req *request, kind, key string) *response {
	resp := &response{status: http.StatusNotFound}
	if key == "" && !strings.HasSuffix(req.path, "/") {
		switch kind {
		case "data", "metadata", "delete", "undelete", "destroy":
			resp.warnings = []string{"Non-listing operations on the root of a K/V v2 mount are not supported."}
			return resp
		}
	}
	verb := map[operation]string{read: "get", list: "list", create: "put", update: "put", remove: "delete"}[req.operation]
	resp.warnings = []string{fmt.Sprintf("Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. If using the Vault CLI, use 'vault kv %s' for this operation.", verb)}
	return resp
}
