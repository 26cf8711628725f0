package lint

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/plan"
)

var noRoom = Rule{"no-room-for-pools", "a database has room for every pool, and for a new one beside its old one",
	"from the emit on new connections find no room (SQLSTATE 53300), until the old ones are gone"}

// databasesWithoutRoom finds those whose pools need more connections at the switch
// than there is room for. Of a page alone nothing is known of either.
func databasesWithoutRoom(s *subject) []Finding {
	var found []Finding
	for _, v := range s.limits.Validators {
		if v.Connections == 0 {
			continue
		}
		need, each := 0, []string{}
		for _, m := range s.limits.Emitters {
			if !slices.ContainsFunc(s.services, func(service plan.Service) bool { return service.Name == m.Name && service.Of == v.Name }) {
				continue
			}
			how := "the pool of " + m.Name
			if m.SwapsPool {
				how = fmt.Sprintf("the new pool of %s beside its old one", m.Name)
			}
			need, each = need+m.Connections(), append(each, fmt.Sprintf("%d for %s", m.Connections(), how))
		}
		if need <= v.Connections {
			continue
		}
		path := "services." + v.Name + ".connections"
		found = append(found, Finding{
			Position: s.serviceAt(path), Level: Error, Path: path, Consumer: v.Name,
			Planned: strconv.Itoa(v.Connections), Needed: strconv.Itoa(need),
			Message: fmt.Sprintf("%s has room for %d connections, and the switch needs %s", v.Name, v.Connections, strings.Join(each, " and ")),
			Fix:     fmt.Sprintf("room for at least %d, and a few for people and probes, or smaller pools; or let a pool make its connections anew one by one, in place of a second pool", need),
		})
	}
	return found
}
