package docker

import (
	"github.com/moby/moby/api/types/container"

	"github.com/rehearse-dev/rehearse/harness/world"
)

// What a container of ours may have at most: a defect of a stand-in is to end
// that, and not the machine that it is measured on. A load of 20,000 requests a
// second takes some 200 MiB.
const (
	mostMemory    = 2 << 30 // bytes
	mostProcesses = 2048    // with threads; a database has a process for each connection
)

// serverRights are what a container keeps that runs somebody else's server: it
// is started by root, gives the server's folder to the user as which that runs,
// becomes that user, and ends it.
var serverRights = []string{"CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"}

// confine takes from a container what its service does without. Nothing in it
// gains rights that it was not started with. Of a team's own service nothing else
// is taken: it runs as in production, and what that needs only the team knows.
func confine(h *container.HostConfig, spec world.Spec) {
	if !spec.NewPrivileges {
		h.SecurityOpt = append(h.SecurityOpt, "no-new-privileges:true")
	}
	if spec.Serve == "" {
		return
	}
	h.CapDrop = []string{"ALL"}
	processes := int64(mostProcesses)
	h.Resources.Memory, h.Resources.MemorySwap = mostMemory, mostMemory
	h.Resources.PidsLimit = &processes
	if spec.Base != "" { // its binary is copied into it, and its server writes where it likes
		h.CapAdd = serverRights
		return
	}
	if len(spec.Files) == 0 { // which are copied into it as well
		h.ReadonlyRootfs = true
		h.Tmpfs = map[string]string{"/tmp": "rw,noexec,nosuid,nodev,size=64m"}
	}
}
