package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxVersions is how many versions of a path are kept: the default of Vault's
// KV engine (vault-plugin-secrets-kv v0.25.0, defaultMaxVersions).
const maxVersions = 10

// engine is one KV version 2 mount.
type engine struct {
	accessor, uuid, description string
	entries                     map[string]*entry
}

// entry is every version of one path. Versions are numbered from 1.
type entry struct {
	current, oldest  int
	versions         map[int]*version
	created, updated time.Time
	lastUpdatedBy    *attribution
}

// version is one value of a path. Its data are nil once it is destroyed.
type version struct {
	data                 json.RawMessage
	created, deleted     time.Time
	destroyed            bool
	createdBy, deletedBy *attribution
}

// attribution is who did what, as KV metadata shows it.
type attribution struct {
	Actor     string    `json:"actor"`
	Operation operation `json:"operation"`
	ClientID  string    `json:"client_id"`
}

// put adds a version, and drops the oldest where there are too many.
func (e *engine) put(path string, data json.RawMessage, by *attribution, now time.Time) *entry {
	en := e.entries[path]
	if en == nil {
		en = &entry{versions: map[int]*version{}, created: now}
		e.entries[path] = en
	}
	en.current++
	en.updated, en.lastUpdatedBy = now, by
	en.versions[en.current] = &version{data: data, created: now, createdBy: by}
	if en.current-en.oldest >= maxVersions {
		last := en.current - maxVersions
		for n := en.oldest; n <= last; n++ {
			delete(en.versions, n)
		}
		en.oldest = last + 1
	}
	return en
}

// readable finds a version that is neither deleted nor destroyed.
func (v *version) readable() bool { return !v.destroyed && v.deleted.IsZero() }

// deleteVersions hides versions; undelete brings them back.
func (en *entry) deleteVersions(numbers []int, by *attribution, now time.Time) {
	for _, n := range numbers {
		if v := en.versions[n]; v != nil && v.readable() {
			v.deleted, v.deletedBy = now, by
		}
	}
	en.lastUpdatedBy = by
}

// undelete brings hidden versions back; those destroyed stay away.
func (en *entry) undelete(numbers []int, by *attribution) {
	for _, n := range numbers {
		if v := en.versions[n]; v != nil && !v.destroyed {
			v.deleted, v.deletedBy = time.Time{}, nil
		}
	}
	by.Operation = "undelete"
	en.lastUpdatedBy = by
}

// destroy drops the values of versions for good.
func (en *entry) destroy(numbers []int) {
	for _, n := range numbers {
		if v := en.versions[n]; v != nil {
			v.destroyed, v.data = true, nil
		}
	}
}

// metadata describes one version, as reads and writes show it.
func (v *version) metadata(number int) map[string]any {
	return map[string]any{
		"created_time": stamp(v.created), "custom_metadata": nil, "deletion_time": stamp(v.deleted),
		"destroyed": v.destroyed, "version": number,
	}
}

// metadata describes a path with all of its versions.
func (en *entry) metadata() map[string]any {
	versions := map[string]any{}
	for n, v := range en.versions {
		versions[strconv.Itoa(n)] = map[string]any{
			"created_by": v.createdBy, "created_time": stamp(v.created),
			"deleted_by": v.deletedBy, "deletion_time": stamp(v.deleted), "destroyed": v.destroyed,
		}
	}
	return map[string]any{
		"cas_required": false, "created_time": stamp(en.created), "current_version": en.current,
		"custom_metadata": nil, "delete_version_after": "0s", "last_updated_by": en.lastUpdatedBy,
		"max_versions": 0, "oldest_version": en.oldest, "updated_time": stamp(en.updated), "versions": versions,
	}
}

// under lists what lies directly below a folder, sorted; folders end in a slash.
func (e *engine) under(folder string) []string {
	var names []string
	for path := range e.entries {
		rest, ok := strings.CutPrefix(path, folder)
		if !ok || rest == "" {
			continue
		}
		if name, _, deeper := strings.Cut(rest, "/"); deeper {
			rest = name + "/"
		}
		names = append(names, rest)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// stamp writes a time as Vault does; none is empty.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// describe is a mount as GET sys/mounts/PATH shows it.
func (e *engine) describe() map[string]any {
	return map[string]any{
		"accessor": e.accessor, "uuid": e.uuid, "type": "kv", "description": e.description,
		"options": map[string]any{"version": "2"},
		"config":  map[string]any{"default_lease_ttl": 0, "max_lease_ttl": 0, "force_no_cache": false},
		"local":   false, "seal_wrap": false, "external_entropy_access": false, "deprecation_status": "supported",
		"plugin_version": "", "running_plugin_version": "v0.25.0+embedded", "running_sha256": "",
	}
}

// newEngine is an empty KV version 2 engine.
func newEngine(description string) *engine {
	return &engine{
		accessor: fmt.Sprintf("kv_%s", randomText(8)), uuid: newID(), description: description,
		entries: map[string]*entry{},
	}
}
