package source

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// Decode puts a document into the struct that into points to, by its yaml
// tags, and returns all that does not fit: unknown keys, values of a wrong
// type, and missing entries. An entry may be missing where its tag says
// omitempty; null counts as missing. A type with UnmarshalText reads its own
// scalars, as they are written in the file.
func Decode(n *Node, into any) Problems {
	d := decoder{}
	d.value(n, reflect.ValueOf(into).Elem(), "")
	return d.problems
}

// CheckPatch holds a merge patch against the struct that like points to,
// which is not changed: everything may be missing but nothing may be unknown,
// not even what the patch takes away.
func CheckPatch(n *Node, like any) Problems {
	d := decoder{patch: true}
	d.value(n, reflect.New(reflect.TypeOf(like).Elem()).Elem(), "")
	return d.problems
}

type decoder struct {
	patch    bool // entries may be missing; not inside of lists, which are replaced as a whole
	problems Problems
}

func (d *decoder) report(at Position, path, hint, format string, args ...any) {
	d.problems = append(d.problems, Problem{Position: at, Path: path, Message: fmt.Sprintf(format, args...), Hint: hint})
}

var textType = reflect.TypeFor[encoding.TextUnmarshaler]()

func (d *decoder) value(n *Node, v reflect.Value, path string) {
	if n.IsNull() {
		return
	}
	t := v.Type()
	switch {
	case t.Kind() == reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		d.value(n, v.Elem(), path)
	case reflect.PointerTo(t).Implements(textType):
		d.text(n, v, path)
	case t.Kind() == reflect.Struct:
		d.structure(n, v, path)
	case t.Kind() == reflect.Slice:
		d.slice(n, v, path)
	case t.Kind() == reflect.Map:
		d.mapping(n, v, path)
	case t.Kind() == reflect.Interface:
		v.Set(reflect.ValueOf(n.Interface()))
	default:
		d.scalar(n, v, path)
	}
}

// text leaves a value to its own UnmarshalText.
func (d *decoder) text(n *Node, v reflect.Value, path string) {
	if n.Kind != Scalar {
		d.report(n.Position, path, "", "want one value, got %s", n.what())
		return
	}
	err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(n.Text))
	if err == nil {
		return
	}
	if invalid, ok := errors.AsType[*Invalid](err); ok {
		d.report(n.Position, path, invalid.Hint, "%s", invalid.Message)
		return
	}
	d.report(n.Position, path, "", "%v", err)
}

// tagged is a struct's field as its yaml tag has it.
func tagged(f reflect.StructField) (key string, optional bool) {
	key, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return key, strings.Contains(options, "omitempty")
}

// member is a field of a struct that a key of a mapping is decoded into.
type member struct {
	key      string
	optional bool
	value    reflect.Value
}

// members are those of a struct, with those of the structs that are inline in it.
func members(v reflect.Value) []member {
	var all []member
	for i := range v.NumField() {
		f := v.Type().Field(i)
		switch key, optional := tagged(f); {
		case f.Anonymous && strings.Contains(f.Tag.Get("yaml"), ",inline"):
			all = append(all, members(v.Field(i))...)
		case key != "":
			all = append(all, member{key, optional, v.Field(i)})
		}
	}
	return all
}

func (d *decoder) structure(n *Node, v reflect.Value, path string) {
	if n.Kind != Mapping {
		d.report(n.Position, path, "", "want a mapping, got %s", n.what())
		return
	}
	var keys []string
	known := map[string]bool{}
	for _, m := range members(v) {
		key := m.key
		keys, known[key] = append(keys, key), true
		f, ok := n.Field(key)
		switch {
		case ok && !f.Value.IsNull():
			d.value(f.Value, m.value, Join(path, key))
			if !m.optional && f.Value.Kind == Scalar && f.Value.Text == "" {
				d.report(f.Value.Position, Join(path, key), "", "is empty")
			}
		case m.optional || d.patch:
		case ok:
			d.report(f.Position, Join(path, key), "", "has no value")
		default:
			d.report(n.Position, Join(path, key), "", "is missing")
		}
	}
	for _, f := range n.Fields {
		if !known[f.Key] {
			d.problems = append(d.problems, Problem{
				Position: f.Position, Path: path, unknownKey: true,
				Message: fmt.Sprintf("unknown key %q", shorten(f.Key)), Hint: DidYouMean(f.Key, keys),
			})
		}
	}
}

func (d *decoder) slice(n *Node, v reflect.Value, path string) {
	if n.Kind != Sequence {
		d.report(n.Position, path, "write it in [brackets]", "want a list, got %s", n.what())
		return
	}
	items := decoder{} // not of a patch
	v.Set(reflect.MakeSlice(v.Type(), len(n.Items), len(n.Items)))
	for i, item := range n.Items {
		at := fmt.Sprintf("%s[%d]", path, i)
		if item.IsNull() {
			items.report(item.Position, at, "", "has no value")
			continue
		}
		items.value(item, v.Index(i), at)
	}
	d.problems = append(d.problems, items.problems...)
}

func (d *decoder) mapping(n *Node, v reflect.Value, path string) {
	if n.Kind != Mapping {
		d.report(n.Position, path, "", "want a mapping, got %s", n.what())
		return
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(n.Fields)))
	for _, f := range n.Fields {
		value := reflect.New(v.Type().Elem()).Elem()
		d.value(f.Value, value, Join(path, f.Key))
		v.SetMapIndex(reflect.ValueOf(f.Key).Convert(v.Type().Key()), value)
	}
}

func (d *decoder) scalar(n *Node, v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.String:
		if s, ok := n.Value.(string); ok {
			v.SetString(s)
			return
		}
		hint := ""
		if n.Kind == Scalar {
			hint = "quote it: " + strconv.Quote(shorten(n.Text))
		}
		d.report(n.Position, path, hint, "want text, got %s", n.what())
	case reflect.Bool:
		if b, ok := n.Value.(bool); ok {
			v.SetBool(b)
			return
		}
		d.report(n.Position, path, "true or false", "want a boolean, got %s", n.what())
	case reflect.Int, reflect.Int64:
		if i, ok := whole(n.Value); ok && !v.OverflowInt(i) {
			v.SetInt(i)
			return
		}
		d.report(n.Position, path, "", "want a whole number, got %s", n.what())
	case reflect.Float64:
		if f, ok := number(n.Value); ok {
			v.SetFloat(f)
			return
		}
		d.report(n.Position, path, "", "want a number, got %s", n.what())
	default:
		panic("source: no way to decode into " + v.Type().String()) // a type of ours, never of a file
	}
}

// whole is a number that fits an int64.
func whole(value any) (int64, bool) {
	switch i := value.(type) {
	case int64:
		return i, true
	case uint64:
		return int64(i), i <= math.MaxInt64
	}
	return 0, false
}

// number is a finite number.
func number(value any) (float64, bool) {
	switch f := value.(type) {
	case int64:
		return float64(f), true
	case uint64:
		return float64(f), true
	case float64:
		return f, !math.IsNaN(f) && !math.IsInf(f, 0)
	}
	return 0, false
}

// Join is the path of an entry of a mapping.
func Join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
