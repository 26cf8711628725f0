package docker

import (
	"archive/tar"
	"bytes"
	"io"
	"maps"
	"testing"
	"testing/fstest"

	"github.com/rehearse-dev/rehearse/harness/world"
)

func TestPackVolume(t *testing.T) {
	from := fstest.MapFS{"conf/a": {Data: []byte("1"), Mode: 0o600}, "conf/.b/c": {Data: []byte("2"), Mode: 0o755}, "other": {Data: []byte("3")}}
	for name, want := range map[string]map[string]string{
		"conf":   {"etc/shop/": "", "etc/shop/a": "1", "etc/shop/.b/": "", "etc/shop/.b/c": "2"},
		"conf/a": {"etc/shop": "1"},
		".":      {"etc/shop/": "", "etc/shop/conf/": "", "etc/shop/conf/a": "1", "etc/shop/conf/.b/": "", "etc/shop/conf/.b/c": "2", "etc/shop/other": "3"},
	} {
		packed, err := packVolume(world.Volume{From: from, Name: name, To: "/etc/shop"})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := map[string]string{}
		for r := tar.NewReader(bytes.NewReader(packed)); ; {
			header, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			content, _ := io.ReadAll(r)
			if got[header.Name] = string(content); header.Mode&0o444 != 0o444 {
				t.Errorf("%s has mode %o, want one that everybody may read", header.Name, header.Mode)
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if _, err := packVolume(world.Volume{From: from, Name: "nowhere", To: "/etc/shop"}); err == nil {
		t.Error("what is not there is packed")
	}
}
