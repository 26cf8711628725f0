package database

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin"
)

// Codes of a first packet (PostgreSQL, Frontend/Backend Protocol, Message Formats).
const (
	codeSSL    = 80877103
	codeGSSAPI = 80877104
	codeCancel = 80877102
	// maxStartup bounds a first packet, as the server does.
	maxStartup = 10000
	// maxMessage bounds an answer before a session begins.
	maxMessage = 1 << 16
	// startupWithin bounds the first packet and the dialling of the server.
	startupWithin = 10 * time.Second
)

// SQLSTATEs (PostgreSQL, Appendix A).
const (
	stateOK    = "00000"
	stateEnded = "57P01" // admin_shutdown: pg_terminate_backend too
	// stateNoRight is insufficient_privilege, of what is asked in a session.
	stateNoRight = "42501"
)

// relay carries one connection to the server and back, and tells a login that
// is accepted. Only the server's answer that it is ready says so: it writes
// "authorized" to its log of a role too that it then does not let log in.
func (l *logins) relay(client net.Conn, server string) error {
	defer client.Close()
	if err := client.SetReadDeadline(time.Now().Add(startupWithin)); err != nil {
		return err
	}
	packet, code, err := firstPacket(client)
	if err != nil {
		return err
	}
	if err := client.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	upstream, err := net.DialTimeout("tcp", server, startupWithin)
	if err != nil {
		return fmt.Errorf("reach the server: %w", err)
	}
	defer upstream.Close()
	if code == codeCancel {
		_, err := upstream.Write(packet)
		return err
	}
	settings := startup(packet)
	login := newLogin(settings["user"], settings["application_name"])
	login.remote = standin.CallerOf(client)
	port := strconv.Itoa(upstream.LocalAddr().(*net.TCPAddr).Port)
	l.add(port, login)
	defer l.close(login)
	if _, err := upstream.Write(packet); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(upstream, usageConn{client, login}) // its end is that of the session
		if login.left.Store(true); !login.ended.Load() {
			l.lived(login)
		}
		_ = upstream.Close()
	}()
	err = l.answer(client, upstream, login)
	if err == nil && l.afterwards > 0 {
		err = l.firstAnswer(client, upstream, login)
	}
	if err == nil {
		_, err = io.Copy(client, upstream)
	}
	login.ended.Store(true) // or it had left before
	_, _ = client.Close(), upstream.Close()
	<-done
	return err
}

// usageConn notes when a client last used its session. The message Terminate is no use: a
// pool sends it when it closes a connection that nobody needed.
type usageConn struct {
	net.Conn
	login *login
}

func (u usageConn) Read(p []byte) (int, error) {
	n, err := u.Conn.Read(p)
	if n > 0 && (n != terminateLength || p[0] != 'X') {
		u.login.use()
	}
	return n, err
}

// terminateLength is that of the message Terminate.
const terminateLength = 5

// firstPacket reads the packet that begins a session. Encryption is declined,
// as a server without it does.
func firstPacket(client net.Conn) (packet []byte, code uint32, err error) {
	for range 3 { // a client may ask for each kind of encryption once
		head := make([]byte, 8)
		if _, err := io.ReadFull(client, head); err != nil {
			return nil, 0, err
		}
		length := binary.BigEndian.Uint32(head)
		if length < 8 || length > maxStartup {
			return nil, 0, fmt.Errorf("read a first packet: its length is %d", length)
		}
		packet = append(head, make([]byte, length-8)...)
		if _, err := io.ReadFull(client, packet[8:]); err != nil {
			return nil, 0, err
		}
		code = binary.BigEndian.Uint32(head[4:8])
		if code != codeSSL && code != codeGSSAPI {
			return packet, code, nil
		}
		if _, err := client.Write([]byte{'N'}); err != nil {
			return nil, 0, err
		}
	}
	return nil, 0, errors.New("read a first packet: it asked for encryption again and again")
}

// startup are the settings of a start-up packet.
func startup(packet []byte) map[string]string {
	settings := map[string]string{}
	words := bytes.Split(packet[8:], []byte{0})
	for i := 0; i+1 < len(words) && len(words[i]) > 0; i += 2 {
		settings[string(words[i])] = string(words[i+1])
	}
	return settings
}

// answer hands on the server's messages until a session begins. Where it ends
// in an error, the server's log has told of it.
func (l *logins) answer(client io.Writer, upstream io.Reader, login *login) error {
	for {
		head := make([]byte, 5)
		if _, err := io.ReadFull(upstream, head); err != nil {
			return err
		}
		length := binary.BigEndian.Uint32(head[1:])
		if length < 4 || length > maxMessage {
			return fmt.Errorf("read an answer of the server: its length is %d", length)
		}
		message := append(head, make([]byte, length-4)...)
		if _, err := io.ReadFull(upstream, message[5:]); err != nil {
			return err
		}
		if head[0] == 'Z' { // ReadyForQuery
			if l.entered != nil {
				l.entered(login)
			}
			if l.afterwards == 0 && login.decide() {
				l.accept(login, stateOK)
			}
		}
		if head[0] == 'E' && l.answers != nil && login.decide() { // ErrorResponse
			code, text := errorResponse(message[5:])
			l.answers(login, code, text)
		}
		if _, err := client.Write(message); err != nil {
			return err
		}
		if head[0] == 'Z' {
			return nil
		}
	}
}

// firstAnswer hands on the first message of a session. A pooler may let somebody in
// and turn them away at their first question; who asks nothing for some time is in.
func (l *logins) firstAnswer(client io.Writer, upstream io.Reader, login *login) error {
	in := func() {
		if login.decide() {
			l.accept(login, stateOK)
		}
	}
	asked := time.AfterFunc(l.afterwards, in)
	defer in()
	defer asked.Stop()
	head := make([]byte, 5)
	if _, err := io.ReadFull(upstream, head); err != nil {
		return err
	}
	if _, err := client.Write(head); err != nil {
		return err
	}
	length := binary.BigEndian.Uint32(head[1:])
	if head[0] != 'E' || length < 4 || length > maxMessage {
		return nil
	}
	fields := make([]byte, length-4)
	if _, err := io.ReadFull(upstream, fields); err != nil {
		return err
	}
	if code, text := errorResponse(fields); l.retracts(text) && login.decide() {
		l.refuse(login, code, text)
	}
	_, err := client.Write(fields)
	return err
}

// errorResponse is the SQLSTATE and the text of an ErrorResponse (PostgreSQL,
// Error and Notice Message Fields: C and M).
func errorResponse(fields []byte) (code, text string) {
	for field := range bytes.SplitSeq(fields, []byte{0}) {
		if len(field) == 0 {
			break
		}
		switch field[0] {
		case 'C':
			code = string(field[1:])
		case 'M':
			text = string(field[1:])
		}
	}
	return code, text
}
