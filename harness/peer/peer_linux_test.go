package peer

import (
	"bufio"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"testing"
)

// TestMain is also what a test starts: a process that connects, and one that has another do so.
func TestMain(m *testing.M) {
	if address := os.Getenv("PEER_TEST_CONNECT"); address != "" {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			panic(err)
		}
		_, _ = bufio.NewReader(conn).ReadByte() // until the test closes it
		return
	}
	os.Exit(m.Run())
}

// connected is the test's end of a connection from another process that has a mark.
func connected(t *testing.T, network, address, mark string, command ...string) (local, remote netip.AddrPort) {
	t.Helper()
	listener, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "PEER_TEST_CONNECT="+listener.Addr().String(), MarkVariable+"="+mark)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		_ = cmd.Wait()
	})
	return netip.MustParseAddrPort(conn.LocalAddr().String()), netip.MustParseAddrPort(conn.RemoteAddr().String())
}

func TestAt(t *testing.T) {
	t.Setenv(MarkVariable, "of@1:2/auth")
	self := os.Args[0]
	for _, tt := range []struct {
		name, network, address, mark, want string
		command                            []string
	}{
		{"a service of the run", "tcp4", "127.0.0.1:0", "of@1:2/search", "search", []string{self}},
		{"its child", "tcp4", "127.0.0.1:0", "of@1:2/search", "search", []string{"sh", "-c", "\"$0\" & wait", self}},
		{"a replica", "tcp4", "127.0.0.1:0", "of@1:2/search-2", "search-2", []string{self}},
		{"by IPv6", "tcp6", "[::1]:0", "of@1:2/search", "search", []string{self}},
		{"a service of another run", "tcp4", "127.0.0.1:0", "of@1:3/search", "", []string{self}},
		{"a process of nobody's", "tcp4", "127.0.0.1:0", "", "", []string{self}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			finder := NewFinder()
			for range 2 { // found anew, and known
				local, remote := connected(t, tt.network, tt.address, tt.mark, tt.command...)
				if got := finder.At(local, remote); got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
				if got := finder.At(remote, netip.AddrPortFrom(remote.Addr(), 1)); got != "" {
					t.Errorf("of no connection: got %q, want nobody", got)
				}
			}
		})
	}
}

// TestOfNoRun: a process that no run started finds nobody, and asks nothing.
func TestOfNoRun(t *testing.T) {
	t.Setenv(MarkVariable, "")
	local, remote := connected(t, "tcp4", "127.0.0.1:0", "of@1:2/search", os.Args[0])
	if got := NewFinder().At(local, remote); got != "" {
		t.Errorf("got %q, want nobody", got)
	}
}
