package scenario

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// Durations are those of a page and a scenario by their paths, in which elements of lists
// are called by their names: rollout.lead, consumers.search.refresh, services.cdn.ttl,
// load.web.token.life.
func (l *Loaded) Durations() map[string]time.Duration {
	_, found := varied(l)
	all := make(map[string]time.Duration, len(found))
	for path, v := range found {
		if v.Type() == durationType {
			all[path] = time.Duration(v.Int())
		}
	}
	return all
}

// Counts are the whole numbers of a page and a scenario, by their paths as of Durations:
// services.search.count, load.web.sessions.
func (l *Loaded) Counts() map[string]int64 {
	_, found := varied(l)
	all := make(map[string]int64, len(found))
	for path, v := range found {
		if v.Type() != durationType {
			all[path] = v.Int()
		}
	}
	return all
}

// With is a scenario in which the duration or the count at a path is another.
func (l *Loaded) With(path string, value int64) *Loaded {
	changed, all := varied(l)
	all[path].SetInt(value)
	// Maps hold copies of what is in them.
	for name, s := range changed.Scenario.Services {
		rest, ok := strings.CutPrefix(path, "services."+name+".")
		if !ok {
			continue
		}
		own := map[string]reflect.Value{}
		quantities("", reflect.ValueOf(&s).Elem(), own)
		own[rest].SetInt(value)
		changed.Scenario.Services[name] = s
	}
	return changed
}

// varied is a copy of a scenario with its page, and the durations and counts in that by their paths.
func varied(l *Loaded) (*Loaded, map[string]reflect.Value) {
	changed := *l
	changed.Runbook, changed.Scenario = copied(l)
	all := map[string]reflect.Value{}
	quantities("", reflect.ValueOf(&changed.Runbook).Elem(), all)
	quantities("", reflect.ValueOf(&changed.Scenario).Elem(), all)
	return &changed, all
}

// copied are page and scenario, of which what can be varied is shared with nobody.
func copied(l *Loaded) (runbook.Runbook, Scenario) {
	page, rehearsal := l.Runbook, l.Scenario
	page.Consumers = slices.Clone(page.Consumers)
	for i := range page.Consumers {
		for _, p := range []**runbook.Duration{&page.Consumers[i].LearnsWithin, &page.Consumers[i].ForgetsWithin, &page.Consumers[i].Cooldown} {
			if *p != nil {
				d := **p
				*p = &d
			}
		}
	}
	page.Overlap.Exceptions = slices.Clone(page.Overlap.Exceptions)
	rehearsal.Services = maps.Clone(rehearsal.Services)
	rehearsal.Load = slices.Clone(rehearsal.Load)
	for i, c := range rehearsal.Load {
		if c.Token != nil {
			token := *c.Token
			rehearsal.Load[i].Token = &token
		}
	}
	rehearsal.Faults = slices.Clone(rehearsal.Faults)
	return page, rehearsal
}

// named are the fields that name the elements of a list.
var named = []string{"Name", "Client", "Kind"}

var durationType = reflect.TypeFor[runbook.Duration]()

// quantities finds the durations and whole numbers in a value by their paths in the file; elements
// of lists are called by their names.
func quantities(path string, v reflect.Value, found map[string]reflect.Value) {
	join := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
	switch {
	case v.Type() == durationType, v.Kind() == reflect.Int:
		found[path] = v
	case v.Kind() == reflect.Pointer && !v.IsNil():
		quantities(path, v.Elem(), found)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			tag, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
			if tag != "" && tag != "-" {
				quantities(join(tag), v.Field(i), found)
			}
		}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		for i := range v.Len() {
			name := fmt.Sprint(i)
			for _, field := range named {
				if f := v.Index(i).FieldByName(field); f.IsValid() && f.Kind() == reflect.String && f.String() != "" {
					name = f.String()
					break
				}
			}
			quantities(join(name), v.Index(i), found)
		}
	case v.Kind() == reflect.Map:
		for _, key := range v.MapKeys() {
			if key.Kind() == reflect.String && v.MapIndex(key).Kind() == reflect.Struct {
				one := reflect.New(v.MapIndex(key).Type()).Elem()
				one.Set(v.MapIndex(key))
				quantities(join(key.String()), one, found)
			}
		}
	}
}
