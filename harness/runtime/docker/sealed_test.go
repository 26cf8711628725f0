package docker

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/client"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// shown are the containers and volumes of a run of whose `docker inspect` a text is a part.
func shown(t *testing.T, r *Runtime, text string) (where []string) {
	t.Helper()
	filter := client.Filters{}.Add("label", LabelRun+"="+r.o.Record.Run())
	containers, err := r.engine.ContainerList(t.Context(), client.ContainerListOptions{All: true, Filters: filter})
	if err != nil || len(containers.Items) == 0 {
		t.Fatalf("list the run's containers: got %d, %v", len(containers.Items), err)
	}
	for _, c := range containers.Items {
		found, err := r.engine.ContainerInspect(t.Context(), c.ID, client.ContainerInspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		image, err := r.engine.ImageInspect(t.Context(), found.Container.Image)
		if err != nil {
			t.Fatal(err)
		}
		layers, err := r.engine.ImageHistory(t.Context(), found.Container.Image)
		if err != nil {
			t.Fatal(err)
		}
		told, err := json.Marshal([]any{found.Container, image, layers})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(told), text) {
			where = append(where, strings.TrimPrefix(found.Container.Name, "/rehearse-"+r.o.Record.Run()+"-"))
		}
	}
	volumes, err := r.engine.VolumeList(t.Context(), client.VolumeListOptions{Filters: filter})
	if err != nil {
		t.Fatal(err)
	}
	if told, err := json.Marshal(volumes.Items); err != nil || strings.Contains(string(told), text) {
		where = append(where, "a volume")
	}
	return where
}

// TestInspectShowsNoSecret looks for all that stand-ins are told in what the engine tells
// of them, also after each way to begin anew: they still know it, and it is not shown. A
// service of a team's own that asks for a value in its environment is the control.
func TestInspectShowsNoSecret(t *testing.T) {
	r, _ := newRuntime(t)
	const config, control, trust, published, again = "of-the-config-1", "of-the-control-2", "of-the-trust-3", "of-the-secret-4", "of-the-secret-5"
	auth := world.Spec{
		Name: "auth", Serve: "issuer", Config: &settings{"greeting": config}, Control: control, Trust: trust,
		Environment: map[string]string{contract.SecretVariable: published},
	}
	files := auth
	files.Name, files.Files = "files", map[string]string{"/etc/note": "hello"}
	if err := r.Start(t.Context(), []world.Spec{auth, files}); err != nil {
		t.Fatal(err)
	}
	own := world.Spec{
		Name: "own", Image: r.image, Command: []string{"own"}, Port: 9000, Health: "/healthz",
		Environment: map[string]string{"REHEARSE_LISTEN": ":9000", "REHEARSE_CONFIG": "{}", "API_KEY": "of-the-team-6"},
	}
	if err := r.Start(t.Context(), []world.Spec{own}); err != nil {
		t.Fatal(err)
	}
	if got := shown(t, r, "of-the-team-6"); !slices.Equal(got, []string{"own"}) {
		t.Fatalf("a value in an environment is shown of %v, want of own: nothing is found by this search", got)
	}
	holds := func(after, secret string) {
		t.Helper()
		for _, name := range []string{"auth", "files"} {
			at := r.URL(name, false)
			if got, err := get(t, at+"/greeting"); err != nil || got != config {
				t.Errorf("after %s %s answers %q, %v; want what it was configured with", after, name, got, err)
			}
			told, err := get(t, at+"/told")
			for _, value := range []string{control, trust, secret} {
				if err != nil || !strings.Contains(told, value) {
					t.Errorf("after %s %s was not told %s: %v", after, name, value, err)
				}
			}
		}
		for _, value := range []string{config, control, trust, published, again} {
			if got := shown(t, r, value); len(got) != 0 {
				t.Errorf("after %s %s is shown of %v, want of none", after, value, got)
			}
		}
	}
	holds("the start", published)
	for _, name := range []string{"auth", "files"} {
		stat, err := r.engine.ContainerStatPath(t.Context(), r.service(name).id(), client.ContainerStatPathOptions{Path: sealedFile})
		if err != nil || stat.Stat.Mode.Perm() != 0o400 {
			t.Errorf("%s of %s: got mode %v, %v; want it for its user alone", sealedFile, name, stat.Stat.Mode, err)
		}
		if err := r.Kill(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		if err := r.Restart(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	holds("a kill and a restart", published)
	for _, name := range []string{"auth", "files"} {
		if err := r.Redeploy(t.Context(), name, map[string]string{contract.SecretVariable: again}); err != nil {
			t.Fatal(err)
		}
	}
	holds("a deployment", again)
	adopted, err := Adopt(context.Background(), r.o.Record.Run())
	if err != nil || !strings.Contains(string(adopted["auth"].Config), config) || adopted["auth"].Environment[contract.ControlVariable] != control {
		t.Errorf("a service that is taken over: got %d, %v; want what it was told", len(adopted), err)
	}
	if _, err := r.engine.ContainerRestart(t.Context(), r.service("auth").id(), client.ContainerRestartOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it serves again", func() bool {
		_, err := get(t, r.URL("auth", false)+"/greeting")
		return err == nil
	})
	holds("the engine's restart", again)
}
