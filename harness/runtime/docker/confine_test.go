package docker

import (
	"slices"
	"testing"

	"github.com/moby/moby/api/types/container"

	"github.com/rehearse-dev/rehearse/harness/world"
)

func TestConfine(t *testing.T) {
	const noNew = "no-new-privileges:true"
	for _, tt := range []struct {
		name                        string
		spec                        world.Spec
		noNew, readOnly, limited    bool
		dropped, keepsServersRights bool
	}{
		{"a stand-in", world.Spec{Serve: "issuer"}, true, true, true, true, false},
		{"one with files", world.Spec{Serve: "issuer", Files: map[string]string{"/etc/x": ""}}, true, false, true, true, false},
		{"a server of another's", world.Spec{Serve: "postgres", Base: "databases"}, true, false, true, true, true},
		{"a team's own", world.Spec{Image: "acme/reports"}, true, false, false, false, false},
		{"a team's own that says more", world.Spec{Image: "acme/reports", NewPrivileges: true}, false, false, false, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var h container.HostConfig
			confine(&h, tt.spec)
			if got := slices.Contains(h.SecurityOpt, noNew); got != tt.noNew {
				t.Errorf("got %s %t, want %t", noNew, got, tt.noNew)
			}
			if h.ReadonlyRootfs != tt.readOnly || (len(h.Tmpfs) > 0) != tt.readOnly {
				t.Errorf("got a read-only root %t with %v, want %t", h.ReadonlyRootfs, h.Tmpfs, tt.readOnly)
			}
			if limited := h.Memory > 0 && h.PidsLimit != nil && *h.PidsLimit > 0; limited != tt.limited {
				t.Errorf("got limits %t, want %t", limited, tt.limited)
			}
			if slices.Equal(h.CapDrop, []string{"ALL"}) != tt.dropped || slices.Equal(h.CapAdd, serverRights) != tt.keepsServersRights || h.Privileged {
				t.Errorf("got rights dropped %v and added %v", h.CapDrop, h.CapAdd)
			}
		})
	}
}
