package database

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"
	"github.com/rehearse-dev/rehearse/harness/history"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// startsServer has this test's own binary start a MariaDB server in the folder that it
// names, say its process and wait to be killed.
const startsServer = "REHEARSE_TEST_STARTS_SERVER"

// TestServerEndsWithItsStandIn: a server whose stand-in is killed is gone too, in
// whichever way it has to be told.
func TestServerEndsWithItsStandIn(t *testing.T) {
	requireServer(t, "mariadb")
	if folder := os.Getenv(startsServer); folder != "" {
		server, err := startMariaDB(t.Context(), contract.Database{
			Kind: "mariadb", Name: "db", Server: contract.Server{AdminPassword: adminPassword, Folder: folder},
		}, history.NewLogger(io.Discard, "db"))
		if err == nil {
			_, err = server.awaitAnswer(t.Context(), server.version)
		}
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("process", server.cmd.Process.Pid)
		<-server.gone
		return
	}
	folder := testFolder()
	t.Cleanup(func() {
		if err := os.RemoveAll(filepath.Join(os.TempDir(), folder)); err != nil {
			t.Error(err)
		}
	})
	standIn := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	standIn.Env = append(os.Environ(), startsServer+"="+folder)
	out, err := standIn.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := standIn.Start(); err != nil {
		t.Fatal(err)
	}
	pid, said := 0, ""
	for lines := bufio.NewScanner(out); pid == 0 && lines.Scan(); {
		said += lines.Text() + "\n"
		if number, found := strings.CutPrefix(lines.Text(), "process "); found {
			if pid, err = strconv.Atoi(number); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := standIn.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = standIn.Wait() // that it was killed
	if pid == 0 {
		t.Fatalf("it started no server, and said %q", said)
	}
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) }) // where it lives on
	standintest.Eventually(t, "the end of the server", func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) })
}
