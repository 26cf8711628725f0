package history

import (
	"cmp"
	"slices"
)

// rename calls a credential by its name that was seen before it had one: one that
// an authority has published, or signed with, before the run came to know of it.
func (v *View) rename(identifier, name string) {
	if identifier == "" || identifier == name {
		return
	}
	for _, m := range []map[string]map[string]Offset{v.Holds, v.Learned, v.Forgot, v.Switched, v.PublishedAt} {
		for _, of := range m {
			if at, ok := of[identifier]; ok {
				delete(of, identifier)
				of[name] = at
			}
		}
	}
	for key, of := range v.ofFetch {
		if key[1] == identifier {
			delete(v.ofFetch, key)
			v.ofFetch[[2]string{key[0], name}] = of
		}
	}
	for service, set := range v.Published {
		v.Published[service] = renamed(set, identifier, name)
	}
	for service, emitting := range v.Emitting {
		if emitting == identifier {
			v.Emitting[service] = name
		}
	}
	v.keys = nil
	for key, buckets := range v.Cells {
		if key.Credential != identifier {
			continue
		}
		delete(v.Cells, key)
		key.Credential = name
		all := slices.Concat(buckets, v.Cells[key])
		slices.SortStableFunc(all, func(a, b Bucket) int { return cmp.Compare(a.At, b.At) })
		v.Cells[key] = all
	}
}

// renamed is a set in which one has another name; the set itself stays.
func renamed(set []string, from, to string) []string {
	i := slices.Index(set, from)
	if i < 0 {
		return set
	}
	set = slices.Clone(set)
	set[i] = to
	return set
}

// Named is a history's events with every credential under its name, also those
// that were seen before they had one. The history stays as it is.
func (h *History) Named() []Event {
	names := map[string]string{}
	for _, e := range h.Events {
		if e.Kind == KindCredential && e.Identifier != "" && e.Identifier != e.Credential {
			names[e.Identifier] = e.Credential
		}
	}
	unnamed := func(id string) bool { return names[id] != "" }
	seenBefore := func(e Event) bool {
		return unnamed(e.Credential) || slices.ContainsFunc(e.Credentials, unnamed) || slices.ContainsFunc(e.Holds, unnamed)
	}
	if !slices.ContainsFunc(h.Events, seenBefore) {
		return h.Events
	}
	events := slices.Clone(h.Events)
	for i := range events {
		e := &events[i]
		if !seenBefore(*e) {
			continue
		}
		if name := names[e.Credential]; name != "" {
			e.Credential = name
			if e.Counts != nil {
				counts := *e.Counts
				counts.Credential = name
				e.Counts = &counts
			}
		}
		for identifier, name := range names {
			e.Credentials, e.Holds = renamed(e.Credentials, identifier, name), renamed(e.Holds, identifier, name)
		}
		if e.Set != nil {
			set := *e.Set
			set.Keys = slices.Clone(set.Keys)
			for k := range set.Keys {
				if name := names[set.Keys[k].Kid]; name != "" {
					set.Keys[k].Credential = name
				}
			}
			e.Set = &set
		}
	}
	return events
}
