package standin

import "runtime/debug"

// ModuleVersion is the version of a library that this binary was built with.
func ModuleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, dep := range info.Deps {
			if dep.Path == path {
				return dep.Version
			}
		}
	}
	return "(version not recorded in this binary)"
}
