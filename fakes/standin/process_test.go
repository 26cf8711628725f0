package standin

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"
	"github.com/rehearse-dev/rehearse/harness/history"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// ends waits for Run to return.
func ends(t *testing.T, done <-chan error) error {
	t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(standintest.Patience):
		t.Fatalf("still serving after %s", standintest.Patience)
		return nil
	}
}

// idle is a service that does nothing but answer what every one answers.
func idle(ctx context.Context, _ []byte, listener net.Listener, log io.Writer) error {
	mux := NewMux(&Readiness{}, func() map[string]int64 { return nil })
	return ServeHTTP(ctx, listener, mux, history.NewLogger(log, "idle"))
}

func TestRunEndsWithItsLifeline(t *testing.T) {
	stdin, harness := io.Pipe()
	listening := make(chan net.Addr, 1)
	service := func(ctx context.Context, config []byte, l net.Listener, log io.Writer) error {
		listening <- l.Addr()
		return idle(ctx, config, l, log)
	}
	process := Process{
		Getenv: environment(contract.ListenVariable, "127.0.0.1:0", contract.LifelineVariable, "stdin"),
		Stdin:  stdin, Stdout: standintest.NewLog(t),
	}
	done := make(chan error, 1)
	go func() {
		done <- process.Run(context.Background(), service)
	}()
	url := "http://" + (<-listening).String()
	standintest.AwaitReady(t, url)
	standintest.Client.CloseIdleConnections()
	if err := harness.Close(); err != nil {
		t.Fatal(err)
	}
	if err := ends(t, done); err != nil {
		t.Errorf("after the end of stdin: got %v, want no error", err)
	}
	if _, err := net.Dial("tcp", strings.TrimPrefix(url, "http://")); err == nil {
		t.Errorf("after the end of stdin: %s still accepts", url)
	}
}

func TestRunRefusesItsSurroundings(t *testing.T) {
	tests := []struct {
		name        string
		environment []string
		want        string
	}{
		{"unknown lifeline", []string{contract.LifelineVariable, "pipe"}, `"pipe" is not known, only stdin is`},
		{"descriptor that is no number", []string{contract.ListenFDVariable, "three"}, "read REHEARSE_LISTEN_FD"},
		{"descriptor that is not open", []string{contract.ListenFDVariable, "9999"}, "listen on inherited descriptor 9999"},
		{"sealed variables that are not open", []string{contract.SealedFDVariable, "9999"}, "read sealed variables"},
		{"address that is none", []string{contract.ListenVariable, "nowhere"}, "listen: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			process := Process{Getenv: environment(tt.environment...), Stdin: strings.NewReader(""), Stdout: io.Discard}
			err := process.Run(t.Context(), func(context.Context, []byte, net.Listener, io.Writer) error {
				return errors.New("it served")
			})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q in it", err, tt.want)
			}
		})
	}
}

// What orders a stand-in about asks for the token of its run, whoever else may
// reach its port.
func TestRunIsControlledWithItsToken(t *testing.T) {
	listening := make(chan net.Addr, 1)
	service := func(ctx context.Context, config []byte, l net.Listener, log io.Writer) error {
		listening <- l.Addr()
		return idle(ctx, config, l, log)
	}
	process := Process{
		Getenv: environment(contract.ListenVariable, "127.0.0.1:0", contract.ControlVariable, "of-the-run"),
		Stdin:  strings.NewReader(""), Stdout: standintest.NewLog(t),
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- process.Run(ctx, service) }()
	url := "http://" + (<-listening).String()
	standintest.AwaitReady(t, url)
	for token, want := range map[string]int{"": 401, "of-another": 401, "of-the-run": 204} {
		if status, body := standintest.Call(t, "POST", url+contract.QuiescePath, token, nil); status != want {
			t.Errorf("quiesce with token %q: got %d %s, want %d", token, status, body, want)
		}
	}
	if status, _ := standintest.Call(t, "POST", url+contract.EventsPath+"orders", "", nil); status != 401 {
		t.Errorf("an event without a token: got %d, want 401", status)
	}
	if status, _ := standintest.Call(t, "GET", url+contract.StatusPath, "", nil); status != 200 {
		t.Errorf("status: got %d, want 200", status)
	}
	standintest.Client.CloseIdleConnections()
	cancel()
	if err := ends(t, done); err != nil {
		t.Error(err)
	}
}

// TestRunTakesItsOwnConfigurationOfAList: services alike have one environment, and each is told
// which of its configurations it has; one that is not there is an error and not the first.
func TestRunTakesItsOwnConfigurationOfAList(t *testing.T) {
	for index, want := range map[string]string{"": `[{"name":"a"},{"name":"b"}]`, "0": `{"name":"a"}`, "1": `{"name":"b"}`, "2": "", "-1": "", "x": ""} {
		var got string
		process := Process{Getenv: environment(contract.Variable, `[{"name":"a"},{"name":"b"}]`, contract.IndexVariable, index, contract.ListenVariable, "127.0.0.1:0"), Stdout: io.Discard}
		err := process.Run(t.Context(), func(_ context.Context, config []byte, _ net.Listener, _ io.Writer) error {
			got = string(config)
			return nil
		})
		if got != want || (err == nil) != (want != "") {
			t.Errorf("index %q: got %q and %v, want %q", index, got, err, want)
		}
		if err != nil && !strings.Contains(err.Error(), contract.IndexVariable) {
			t.Errorf("index %q: got %v, want an error that names %s", index, err, contract.IndexVariable)
		}
	}
	process := Process{Getenv: environment(contract.Variable, `{}`, contract.IndexVariable, "0", contract.ListenVariable, "127.0.0.1:0"), Stdout: io.Discard}
	if err := process.Run(t.Context(), idle); err == nil || !strings.Contains(err.Error(), contract.Variable) {
		t.Errorf("no list: got %v, want an error that names %s", err, contract.Variable)
	}
}

// What is sealed is in a file where no descriptor can be inherited, with the secret that
// a consumer is started with; the environment has none of it.
func TestRunReadsSealedVariablesOfAFile(t *testing.T) {
	sealed := filepath.Join(t.TempDir(), "sealed.json")
	if err := os.WriteFile(sealed, []byte(`{"REHEARSE_CONFIG": "{\"a\": 1}", "REHEARSE_CONTROL": "of-the-run", "REHEARSE_SECRET": "of-k1"}`), 0o400); err != nil {
		t.Fatal(err)
	}
	process := Process{
		Getenv: environment(contract.ListenVariable, "127.0.0.1:0", contract.SealedFileVariable, sealed, contract.Variable, "of the environment"),
		Stdin:  strings.NewReader(""), Stdout: io.Discard,
	}
	err := process.Run(t.Context(), func(ctx context.Context, config []byte, _ net.Listener, _ io.Writer) error {
		secret, _, err := variableDocument(contract.SecretVariable).read(ctx)
		if string(config) != `{"a": 1}` || contract.ControlOf(ctx) != "of-the-run" || string(secret) != "of-k1" {
			t.Errorf("got %s, %s, %s, want what the file has", config, contract.ControlOf(ctx), secret)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	process.Getenv = environment(contract.SealedFileVariable, sealed+".gone")
	if err := process.Run(t.Context(), idle); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want an error: the file is not there", err)
	}
}
