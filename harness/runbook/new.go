package runbook

import "embed"

//go:embed new/*.yaml
var blanks embed.FS

// New is a page of a family to be filled in: each of the nine fields with a
// comment on what belongs there. It can be loaded as it is, with figures that
// hold; what only its owner knows is empty. False: there is no such family.
func New(family string) (page []byte, ok bool) {
	page, err := blanks.ReadFile("new/" + family + ".yaml")
	return page, err == nil
}
