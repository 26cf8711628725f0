package apikey

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"
)

const documentVariable = "REHEARSE_TEST_SECRET"

// chargerOf runs a charger that gets its key as config says.
func chargerOf(t *testing.T, config map[string]any) (string, *standintest.Log) {
	t.Helper()
	return standintest.Serve(t, ServeCharger, standintest.With(map[string]any{"name": "shop", "provider": "http://127.0.0.1:1"}, config))
}

func TestFileIsReadAgain(t *testing.T) {
	one, two := "sk_one_0123456789", "sk_two_0123456789"
	file := filepath.Join(t.TempDir(), "secret.json")
	charger, log := chargerOf(t, map[string]any{"file": file, "refresh": "10ms"})
	log.Forbid(one, two)
	if status, body := standintest.Call(t, http.MethodGet, charger+"/healthz", "", nil); status != http.StatusServiceUnavailable {
		t.Errorf("without the file: got %d %s, want 503", status, body)
	}
	standintest.Replace(t, file, standintest.Document(t, "v1", standintest.Entry("v1", one)))
	standintest.AwaitReady(t, charger)
	missing := len(log.Lines("fetch-failed")) // none, where the file was there at the first read
	standintest.Replace(t, file, []byte(`{"emit": "v2", "keys": [{"tag": "v2", "val`))
	standintest.Eventually(t, "word of the broken file", func() bool { return len(log.Lines("fetch-failed")) > missing })
	standintest.Replace(t, file, standintest.Document(t, "v2", standintest.Entry("v1", one), standintest.Entry("v2", two)))
	standintest.Eventually(t, "the switch", func() bool { return len(log.Lines("emitting")) == 2 })
	standintest.WantEqual(t, "emitting", log.Identifiers("emitting"), []string{"v1", "v2"})
	standintest.WantEqual(t, "loaded as often as the file changed", log.Identifiers("loaded"), []string{"v1", "v2"})
}

func TestPinnedFileIsNotReadAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret.json")
	standintest.Replace(t, file, standintest.Document(t, "v1", standintest.Entry("v1", "sk_one_0123456789")))
	charger, log := chargerOf(t, map[string]any{"file": file, "refresh": "10ms", "pinned": true})
	standintest.AwaitReady(t, charger)
	// A broken file would be told of at the next read.
	standintest.Replace(t, file, []byte("broken"))
	time.Sleep(50 * time.Millisecond)
	if failed := log.Lines("fetch-failed"); len(failed) > 0 {
		t.Errorf("got reads that failed: %+v, want none", failed)
	}
}

func TestVariableIsReadOnce(t *testing.T) {
	one := "sk_one_0123456789"
	t.Setenv(documentVariable, string(standintest.Document(t, "v1", standintest.Entry("v1", one))))
	charger, log := chargerOf(t, map[string]any{"variable": documentVariable})
	log.Forbid(one)
	standintest.AwaitReady(t, charger)
	standintest.WantEqual(t, "emitting", log.Identifiers("emitting"), []string{"v1"})
}

// TestMissingVariableEndsTheService: there is nothing to wait for, so whoever
// deploys it must see it fail.
func TestMissingVariableEndsTheService(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	config := `{"name": "shop", "provider": "http://127.0.0.1:1", "variable": "REHEARSE_TEST_UNSET"}`
	err = ServeCharger(t.Context(), []byte(config), listener, standintest.NewLog(t))
	if err == nil || !strings.Contains(err.Error(), "environment variable REHEARSE_TEST_UNSET is not set") {
		t.Errorf("got %v, want the name of the variable", err)
	}
}

// TestHandingOver: whoever is on a connection of a service that is replaced is
// told to come back on another one, before anything is closed.
func TestHandingOver(t *testing.T) {
	t.Setenv(documentVariable, string(standintest.Document(t, "v1", standintest.Entry("v1", "sk_one_0123456789"))))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	done := make(chan error, 1)
	config := `{"name": "shop", "provider": "http://127.0.0.1:1", "variable": "` + documentVariable + `"}`
	go func() { done <- ServeCharger(ctx, []byte(config), listener, standintest.NewLog(t)) }()
	base := "http://" + listener.Addr().String()
	standintest.AwaitReady(t, base)
	// One connection of its own, which is kept because each answer is read to its end.
	own := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	defer own.CloseIdleConnections()
	closes := func() bool {
		resp, err := own.Get(base + "/healthz")
		if err != nil {
			t.Fatalf("got %v, want answers", err)
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
		return resp.Close
	}
	if closes() {
		t.Fatal("before: got a connection that is closed, want one that is kept")
	}
	end()
	standintest.Eventually(t, "an answer that closes its connection", closes)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
