//go:build unix

package standin

import (
	"context"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

func TestRunListensOnAnInheritedDescriptor(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	fd, err := syscall.Dup(int(file.Fd())) // one that no *os.File of this test closes
	if err != nil {
		t.Fatal(err)
	}
	for _, closer := range []io.Closer{file, listener} { // the descriptor alone keeps it open
		if err := closer.Close(); err != nil {
			t.Fatal(err)
		}
	}
	process := Process{
		Getenv: environment(contract.ListenFDVariable, strconv.Itoa(fd)),
		Stdin:  strings.NewReader(""), Stdout: standintest.NewLog(t),
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- process.Run(ctx, idle)
	}()
	standintest.AwaitReady(t, "http://"+listener.Addr().String())
	standintest.Client.CloseIdleConnections()
	cancel()
	if err := ends(t, done); err != nil {
		t.Errorf("got %v, want no error", err)
	}
}
