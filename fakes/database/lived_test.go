package database

import (
	"bufio"
	"io"
	"net"
	"testing"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"
	"github.com/rehearse-dev/rehearse/harness/history"
)

// TestRedisTellsLives: for how long a session was in use that its client left is told, and
// nothing of one that the server ended.
func TestRedisTellsLives(t *testing.T) {
	for _, tt := range []struct {
		name         string
		serverLeaves bool
		lived, ended int
	}{
		{"the client leaves", false, 1, 0},
		{"the server ends it", true, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			go func() {
				conn, err := server.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				commands := bufio.NewReader(conn)
				for range 2 { // AUTH and GET
					if _, _, err := firstCommand(commands); err != nil {
						return
					}
					if _, err := io.WriteString(conn, "+OK\r\n"); err != nil {
						return
					}
				}
				if !tt.serverLeaves {
					_, _ = io.Copy(io.Discard, conn)
				}
			}()
			log := standintest.NewLog(t)
			logins := newLogins("cache", history.NewLogger(log, "cache"))
			client, relayed := net.Pipe()
			done := make(chan struct{})
			go func() {
				defer close(done)
				_ = logins.relayRedis(relayed, server.Addr().String())
			}()
			answers := bufio.NewReader(client)
			for _, command := range []string{"*3\r\n$4\r\nAUTH\r\n$3\r\napp\r\n$11\r\nk1.01234567\r\n", "*2\r\n$3\r\nGET\r\n$1\r\na\r\n"} {
				if _, err := io.WriteString(client, command); err != nil {
					t.Fatal(err)
				}
				if _, err := answers.ReadString('\n'); err != nil {
					t.Fatal(err)
				}
			}
			if tt.serverLeaves {
				_, _ = io.Copy(io.Discard, answers)
			}
			_ = client.Close()
			<-done
			if lived, ended := len(log.Lines(string(history.KindLived))), len(log.Lines(string(history.KindEnded))); lived != tt.lived || ended != tt.ended {
				t.Errorf("got %d lived and %d ended, want %d and %d", lived, ended, tt.lived, tt.ended)
			}
		})
	}
}

// TestMariaDBLastWords: what a client says is its use of a session, but for that it leaves.
func TestMariaDBLastWords(t *testing.T) {
	said := &lastWords{to: io.Discard, login: newLogin("app", "orders/k1")}
	for _, tt := range []struct {
		packet     []byte
		used, quit bool
	}{
		{[]byte{1, 0, 0, 0, commandQuit}, false, true},
		{[]byte{2, 0, 0, 0, 3, 'x'}, true, false},
	} {
		said.login.used.Store(0)
		if _, err := said.Write(tt.packet); err != nil {
			t.Fatal(err)
		}
		if used := said.login.used.Load() > 0; used != tt.used || said.quit.Load() != tt.quit {
			t.Errorf("%v: got used %t and quit %t, want %t and %t", tt.packet, used, said.quit.Load(), tt.used, tt.quit)
		}
	}
}
