package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shirou/gopsutil/v4/process"

	"github.com/rehearse-dev/rehearse/fakes/store"
	"github.com/rehearse-dev/rehearse/harness/contract"
)

// vault is a secrets store that runs use, with somebody who listens on its wire
// and so knows every value there is, whatever the harness says that it made.
type vault struct {
	url, token string
	log        bytes.Buffer // what the store itself wrote, its audit lines too

	mu     sync.Mutex
	values map[string]string // name → value
	told   map[string]bool   // values that have a name
	// plant is told of every value that is new, if it is set.
	plant func(value string)
}

func newVault(t *testing.T) *vault {
	t.Helper()
	v := &vault{token: "root-token-of-a-store-that-is-listened-to", values: map[string]string{}, told: map[string]bool{}}
	server := httptest.NewServer(v.listen(store.New(v.token, &v.log)))
	t.Cleanup(server.Close)
	v.url = server.URL
	v.learn("root token", v.token)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, v.url+"/v1/sys/audit/file",
		strings.NewReader(`{"type": "file", "options": {"file_path": "stdout"}}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Vault-Token", v.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusNoContent {
		t.Fatalf("enable audit: got status %d, want 204", response.StatusCode)
	}
	return v
}

// listen learns the values of requests and answers that pass.
func (v *vault) listen(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		v.learn("a token of a reader", r.Header.Get("X-Vault-Token"))
		for _, text := range [][]byte{body, answer.Body.Bytes()} {
			var document any
			if json.Unmarshal(text, &document) == nil {
				v.read("", document)
			}
		}
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes()) // whoever asked is gone
	})
}

// secretFields are the members of documents in the store that hold a value: of
// a JWK (RFC 7518 §6.2.2, §6.3.2), of a key that is no JWK, and of a token.
var secretFields = []string{"d", "p", "q", "dp", "dq", "qi", "k", "value", "password", "secret", "client_token"}

func (v *vault) read(field string, document any) {
	switch d := document.(type) {
	case map[string]any:
		for name, part := range d {
			v.read(name, part)
		}
	case []any:
		for _, part := range d {
			v.read(field, part)
		}
	case string:
		if slices.Contains(secretFields, field) {
			v.learn(field, d)
		}
	}
}

// learn gives a value a name: its bytes too where it is written in base64url, as
// those of a JWK are.
func (v *vault) learn(what, value string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(value) < 12 || v.told[value] {
		return
	}
	v.told[value] = true
	name := fmt.Sprintf("%s (number %d)", what, len(v.values)+1)
	v.values[name] = value
	if decoded, err := base64.RawURLEncoding.DecodeString(value); err == nil && what != "root token" {
		v.values["the bytes of "+name] = string(decoded)
	}
	if v.plant != nil {
		v.plant(value)
	}
}

// known is how many values there are whose name begins so.
func (v *vault) known(what string) (n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for name := range v.values {
		if strings.HasPrefix(name, what+" (") {
			n++
		}
	}
	return n
}

// rehearse runs the program against the store and keeps what it printed as a
// file. Command lines and configurations of what it starts are looked at
// as well: the lines are kept as a file too, and the configurations hold
// values that never pass the store.
func (v *vault) rehearse(t *testing.T, kept string, args ...string) int {
	t.Helper()
	command := exec.CommandContext(t.Context(), "rehearse", args...)
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, toldConfigs), 0o700); err != nil {
		t.Fatal(err)
	}
	command.Env = append(os.Environ(), vaultTokenVariable+"="+v.token, "XDG_CACHE_HOME="+t.TempDir(), "HOME="+home)
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended, watched := make(chan struct{}), make(chan []string, 1)
	go func() { watched <- v.watch(command.Process.Pid, ended) }()
	err := command.Wait()
	close(ended)
	lines := <-watched
	v.readTold(t, filepath.Join(home, toldConfigs))
	if exit, isExit := errors.AsType[*exec.ExitError](err); err != nil && (!isExit || exit.ExitCode() < 0) {
		t.Fatalf("rehearse %s: %v\n%s", args[0], err, out.String())
	}
	for name, data := range map[string]string{".txt": out.String(), ".arguments.txt": strings.Join(lines, "\n")} {
		if err := os.WriteFile(kept+name, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return command.ProcessState.ExitCode()
}

// toldConfigs is the folder of a home in which stand-ins of a test leave what they
// were told by their descriptor.
const toldConfigs = "told"

// handedOn keeps the descriptor open that tellConfig made.
var handedOn *os.File

// tellConfig leaves what a stand-in is told by its descriptor in the folder for that,
// where a test has made one, and lets the stand-in read it all the same.
func tellConfig() {
	fd, err := strconv.Atoi(os.Getenv(contract.SealedFDVariable))
	if err != nil {
		return // it is no stand-in
	}
	folder := filepath.Join(os.Getenv("HOME"), toldConfigs)
	if _, err := os.Stat(folder); err != nil {
		return
	}
	content, err := io.ReadAll(os.NewFile(uintptr(fd), "told"))
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, strconv.Itoa(os.Getpid())+".json"), content, 0o600)
	}
	from, to, pipeErr := os.Pipe()
	if err = errors.Join(err, pipeErr); err != nil {
		fmt.Fprintln(os.Stderr, "tell the configuration:", err)
		os.Exit(exitCannot)
	}
	handedOn = from
	go func() {
		_, _ = to.Write(content) // whoever does not read it has ended
		_ = to.Close()
	}()
	_ = os.Setenv(contract.SealedFDVariable, strconv.Itoa(int(from.Fd())))
}

// readTold learns the values in what stand-ins were told.
func (v *vault) readTold(t *testing.T, folder string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var told map[string]string
		if err := json.Unmarshal(content, &told); err != nil {
			t.Fatalf("read what a stand-in was told: %v", err)
		}
		v.readConfig(told[contract.Variable])
		v.learn("configured control token", told[contract.ControlVariable])
	}
}

// watch returns the command lines of the stand-ins that a process starts, until it
// has ended.
func (v *vault) watch(pid int, ended <-chan struct{}) []string {
	seen := map[int32]bool{}
	var lines []string
	parent, err := process.NewProcess(int32(pid))
	if err != nil {
		return nil // it is over already
	}
	often := time.NewTicker(20 * time.Millisecond)
	defer often.Stop()
	for {
		children, _ := parent.ChildrenWithContext(context.Background()) // none, as far as can be seen
		for _, child := range children {
			line, lineErr := child.Cmdline()
			environment, environErr := child.Environ()
			if seen[child.Pid] || lineErr != nil || environErr != nil {
				continue
			}
			for _, variable := range environment {
				if strings.HasPrefix(variable, contract.SealedFDVariable+"=") { // before it executes the program it is another one
					seen[child.Pid], lines = true, append(lines, line)
				}
			}
		}
		select {
		case <-ended:
			return lines
		case <-often.C:
		}
	}
}

// readConfig learns the values in the configuration of a stand-in.
func (v *vault) readConfig(config string) {
	var document map[string]any
	if json.Unmarshal([]byte(config), &document) != nil {
		return
	}
	var read func(field string, document any)
	read = func(field string, document any) {
		switch d := document.(type) {
		case map[string]any:
			for name, part := range d {
				read(name, part)
			}
		case string:
			if strings.HasSuffix(field, "token") {
				v.learn("configured "+field, d)
			}
		}
	}
	read("", document)
}

// TestNoValueIsWrittenDown puts known values through whole runs, and looks for
// each in all that they wrote: folders, what the console printed, JUnit, reports
// and comparisons, the command lines of what was started, and the store's log.
func TestNoValueIsWrittenDown(t *testing.T) {
	t.Parallel()
	v, dir := newVault(t), t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	where := []string{"--runtime", "process", "--vault-addr", v.url}
	scenario := func(name string) string { return filepath.Join("testdata", "secrets", name+".yaml") }

	v.rehearse(t, in("run"), append([]string{"run", "--ui", "plain", "-v", "--yes", "--out", in("jwt"), scenario("jwt")}, where...)...)
	v.rehearse(t, in("json"), append([]string{"run", "--ui", "json", "--yes", "--out", in("api-key"), scenario("api-key")}, where...)...)
	v.rehearse(t, in("test"), append([]string{"test", "-j", "2", "--out", in("both"), "--junit", in("asked.xml"),
		scenario("jwt"), scenario("api-key")}, where...)...)
	again := in("both/secrets-jwt")
	v.rehearse(t, in("judge"), "judge", again)
	v.rehearse(t, in("report"), "report", again)
	for _, format := range []string{"text", "md", "json"} {
		if code := v.rehearse(t, in("compare-"+format), "compare", "--format", format, in("jwt"), again); code == exitUsage || code == exitCannot {
			t.Errorf("compare: got exit code %d, want that it compares", code)
		}
	}
	if err := os.WriteFile(in("store.log"), v.log.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}

	// What is searched for, and in what: a search for nothing finds nothing.
	for what, least := range map[string]int{
		"root token": 1, "d": 4, "value": 4, "client_token": 4, "configured admin_token": 2, "configured control token": 4,
	} {
		if got := v.known(what); got < least && (runtime.GOOS == "linux" || !strings.HasPrefix(what, "configured")) {
			t.Errorf("got %d values of %s, want at least %d: two runs of each family", got, what, least)
		}
	}
	began := time.Now()
	found, files := exposedIn(t, dir, v.values)
	t.Logf("searched %d files for %d values in %s", len(files), len(v.values), time.Since(began).Round(time.Millisecond))
	for _, what := range found {
		t.Errorf("found %s", what)
	}
	for _, name := range []string{
		"run.txt", "run.arguments.txt", "json.txt", "test.txt", "judge.txt", "report.txt", "compare-text.txt", "compare-md.txt", "compare-json.txt",
		"store.log", "asked.xml", "both/junit.xml",
		"jwt/events.jsonl", "jwt/result.json", "jwt/report.html", "jwt/report.md", "jwt/junit.xml", "jwt/logs/auth.log", "jwt/logs/checkout.log", "jwt/logs/load.log",
		"api-key/events.jsonl", "api-key/logs/billing.log", "api-key/logs/payments.log", "both/secrets-jwt/report.html", "both/secrets-api-key/report.html",
	} {
		info, err := os.Stat(in(name))
		if err != nil || info.Size() == 0 && name != "run.arguments.txt" || !slices.Contains(files, name) {
			t.Errorf("%s: got %v, %v; want it searched", name, info, err)
		}
	}

	// The twin: each of these values, written down in any way in any of these
	// files, is found.
	data, err := os.ReadFile(in("jwt/events.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range v.values {
		ways := writings(value)
		ways["PEM"] = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("der " + value)}))
		for how, written := range ways {
			if strings.HasPrefix(name, "the bytes of ") && strings.Contains(how, "JSON") {
				continue // bytes are not written so
			}
			line := append(data[:min(len(data), 2000):min(len(data), 2000)], written...)
			if got := exposed(line, map[string]string{name: value}); len(got) == 0 {
				t.Errorf("%s as %s: planted, and not found", name, how)
			}
		}
	}
}

// TestPlantedValueFailsTheRun writes a value into the folder of a run that is
// under way, as a consumer would that logs it: the run must say so, and say
// where, and not say it.
func TestPlantedValueFailsTheRun(t *testing.T) {
	t.Parallel()
	v, dir := newVault(t), t.TempDir()
	folder := filepath.Join(dir, "run")
	planted := filepath.Join(folder, "logs", "talkative.log")
	var once sync.Once
	v.plant = func(value string) {
		if _, err := os.Stat(filepath.Dir(planted)); err != nil {
			return // a value from before the run
		}
		once.Do(func() {
			if err := os.WriteFile(planted, []byte("using "+base64.StdEncoding.EncodeToString([]byte(value))+"\n"), 0o600); err != nil {
				t.Error(err)
			}
		})
	}
	code := v.rehearse(t, filepath.Join(dir, "console"), "run", "--ui", "plain", "--yes", "--runtime", "process", "--vault-addr", v.url,
		"--out", folder, filepath.Join("testdata", "secrets", "api-key.yaml"))
	if code != exitFail {
		t.Errorf("got exit code %d, want %d: a run that leaks has failed", code, exitFail)
	}
	model, err := savedModel(folder)
	if err != nil {
		t.Fatal(err)
	}
	if leaks := model.Leaks; leaks.Hits == 0 || !slices.Equal(leaks.Where, []string{"logs/talkative.log"}) {
		t.Errorf("got %+v, want what was planted found in its file alone", leaks)
	}
	found, _ := exposedIn(t, dir, v.values)
	if len(found) == 0 || slices.ContainsFunc(found, func(what string) bool { return !strings.HasPrefix(what, "run/logs/talkative.log: ") }) {
		t.Errorf("found %q, want it in the file that it was planted in, and nowhere else", found)
	}
}
