package lint

import (
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/source"
)

// ComposeServices are the services of a compose file, by name, as
// source.ReadForeign reads one. The error is source.Problems.
func ComposeServices(document *source.Node) ([]ProjectService, error) {
	all, _ := document.Field("services")
	if all.Value == nil || len(all.Value.Fields) == 0 {
		return nil, source.Problems{{Position: document.Position, Message: "the compose file has no services", Hint: "services: {NAME: …}"}}
	}
	var services []ProjectService
	for _, f := range all.Value.Fields {
		s := ProjectService{Position: f.Position, Name: f.Key}
		texts(f.Value, func(text string) { s.Settings = append(s.Settings, text) })
		services = append(services, s)
	}
	slices.SortFunc(services, func(a, b ProjectService) int { return strings.Compare(a.Name, b.Name) })
	return services, nil
}

// texts calls f with every text in a value of a document.
func texts(n *source.Node, f func(string)) {
	if text, ok := n.Value.(string); ok {
		f(text)
	}
	for _, field := range n.Fields {
		texts(field.Value, f)
	}
	for _, item := range n.Items {
		texts(item, f)
	}
}
