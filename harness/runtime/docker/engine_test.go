package docker

import "testing"

func TestIsLocal(t *testing.T) {
	for daemon, want := range map[string]bool{
		"unix:///var/run/docker.sock": true, "npipe:////./pipe/docker_engine": true,
		"tcp://127.0.0.1:2375": true, "tcp://localhost:2375": true, "tcp://[::1]:2375": true,
		"tcp://docker:2375": false, "tcp://192.0.2.1:2376": false, "": false,
	} {
		if got := isLocal(daemon); got != want {
			t.Errorf("isLocal(%q) is %v; want %v", daemon, got, want)
		}
	}
}
