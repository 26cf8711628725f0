package docker

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/moby/moby/client"

	"github.com/rehearse-dev/rehearse/harness/world"
)

// TestBuiltImage builds an image on that of the stand-in, gives it a file, and
// finds it again by its address and its signal.
func TestBuiltImage(t *testing.T) {
	r, book := newRuntime(t)
	auth := world.Spec{Name: "auth", Serve: "issuer", Config: &settings{"greeting": "hello"}}
	if err := r.Start(t.Context(), []world.Spec{auth}); err != nil {
		t.Fatal(err)
	}
	folder := fstest.MapFS{
		"docker/file": {Data: []byte("FROM " + r.image + "\nCOPY data/note /note\nENTRYPOINT [\"/nothing\"]\n")},
		"data/note":   {Data: []byte("built in")},
	}
	reports := world.Spec{
		Name: "reports", Build: &world.Build{Context: folder, Dockerfile: "docker/file"}, Port: 9000, Health: "/healthz", Needs: []string{"auth"},
		Environment: map[string]string{"REHEARSE_LISTEN": ":9000", "REHEARSE_CONFIG": `{"fetch": "{{ .auth.url }}/caller"}`},
		Files:       map[string]string{"/etc/reports.conf": "ask {{ .auth.url }}"},
		Entrypoint:  []string{binaryPath}, User: "65534",
	}
	if err := r.Start(t.Context(), []world.Spec{reports}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.Background()
		image, err := r.engine.build(ctx, *reports.Build, func(string) { t.Error("the same folder is built twice") })
		if err == nil {
			testImages.Store(image, true)
		} else {
			t.Error(err)
		}
	})
	at := r.URL("reports", false)
	for path, want := range map[string]string{"/note": "built in", "/etc/reports.conf": "ask http://auth:8080"} {
		if got, err := get(t, at+"/file?path="+path); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", path, got, err, want)
		}
	}
	if got, err := get(t, at+"/file?path=/proc/self/status"); err != nil || !strings.Contains(got, "Uid:\t65534\t") {
		t.Errorf("it runs as another than was said: %q, %v", got, err)
	}
	caller, err := get(t, at+"/fetch")
	if got := r.ServiceAt(caller); err != nil || got != "reports" {
		t.Errorf("auth was called from %s, %v, which is %q, want reports", caller, err, got)
	}
	if got := r.ServiceAt("192.0.2.1"); got != "" {
		t.Errorf("somebody else's address is %q, want nobody's", got)
	}
	if err := r.Signal(t.Context(), "reports", "HUP"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it was told to reload", func() bool { return slices.Contains(book.of("reports"), "told to reload") })
}

// TestInit runs what comes before a service in containers of their own, of which none is left.
func TestInit(t *testing.T) {
	r, book := newRuntime(t)
	if err := r.Start(t.Context(), []world.Spec{{Name: "auth", Serve: "issuer", Config: &settings{"greeting": "hello"}}}); err != nil {
		t.Fatal(err)
	}
	shop := world.Spec{
		Name: "shop", Image: r.image, Entrypoint: []string{binaryPath}, Command: []string{"server"}, Init: [][]string{{"job", "0", "{{ .auth.url }}"}, {"job", "0"}},
		Port: 9000, Health: "/healthz", Environment: map[string]string{"REHEARSE_LISTEN": ":9000", "REHEARSE_CONFIG": "{}"},
	}
	if err := r.Start(t.Context(), []world.Spec{shop}); err != nil {
		t.Fatal(err)
	}
	want := []string{"args job 0 http://auth:8080", "args job 0", "args server"}
	ran := func() []string {
		return slices.DeleteFunc(book.of("shop"), func(line string) bool { return !strings.HasPrefix(line, "args") })
	}
	eventually(t, "its log has all three in order", func() bool { return slices.Equal(ran(), want) })

	fails := shop
	fails.Name, fails.Init = "till", [][]string{{"job", "3"}}
	err := r.Start(t.Context(), []world.Spec{fails})
	if err == nil || !strings.Contains(err.Error(), "start till: init[0], which is to run before it: exit status 3") {
		t.Errorf("one that fails: got %v, want which and how", err)
	}
	if slices.Contains(book.of("till"), "args server") {
		t.Error("it was started all the same")
	}
	found, err := r.engine.ContainerList(t.Context(), client.ContainerListOptions{All: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range found.Items {
		if strings.Contains(strings.Join(c.Names, " "), r.o.Record.Run()) && strings.Contains(strings.Join(c.Names, " "), ".init.") {
			t.Errorf("%v is left", c.Names)
		}
	}
}

func TestNoImage(t *testing.T) {
	r, _ := newRuntime(t)
	for name, spec := range map[string]world.Spec{
		"not to be pulled": {Name: "reports", Image: "localhost:1/nobody/has:this"},
		"not to be built":  {Name: "billing", Build: &world.Build{Context: fstest.MapFS{"Dockerfile": {Data: []byte("FROM scratch\nCOPY nothing /\n")}}}},
	} {
		err := r.Start(t.Context(), []world.Spec{spec})
		if !errors.Is(err, world.ErrNoImage) || !strings.Contains(err.Error(), "start "+spec.Name) {
			t.Errorf("%s: got %v, want no such image, and for whom", name, err)
		}
	}
}

func TestPackIsTheSameForTheSameContent(t *testing.T) {
	folder := fstest.MapFS{"b": {Data: []byte("2"), Mode: 0o600}, "a/c": {Data: []byte("1"), Mode: 0o644}}
	one, err := pack(folder)
	if err != nil {
		t.Fatal(err)
	}
	folder["b"].Mode = 0o755
	other, err := pack(folder)
	if err != nil || string(one) != string(other) {
		t.Errorf("the same content with other modes is packed otherwise: %v", err)
	}
}
