package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
)

// version is the module's version in the binary.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// versionText is the output of --version: the version, the build, and the binary's SHA-256, to compare
// with the checksums of a release.
func versionText() string {
	var b strings.Builder
	fmt.Fprintf(&b, "rehearse %s\n", version())
	if info, ok := debug.ReadBuildInfo(); ok {
		set := map[string]string{}
		for _, s := range info.Settings {
			set[s.Key] = s.Value
		}
		if commit := set["vcs.revision"]; commit != "" {
			changed := ""
			if set["vcs.modified"] == "true" {
				changed = ", with changes that are not committed"
			}
			fmt.Fprintf(&b, "commit   %s of %s%s\n", commit, set["vcs.time"], changed)
		}
	}
	fmt.Fprintf(&b, "built    with %s for %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	sum, err := ownSum()
	if err != nil {
		sum = "not known: " + err.Error()
	}
	fmt.Fprintf(&b, "sha256   %s\n", sum)
	return b.String()
}

// ownSum is the SHA-256 of the running binary, in hexadecimal.
func ownSum() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", hash.Sum(nil)), nil
}
