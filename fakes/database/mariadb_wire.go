package database

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin"
	"github.com/rehearse-dev/rehearse/harness/contract"
)

// Statuses of a login (MariaDB, Error Codes): what is no refusal is no matter of a
// credential, as 1040 (too many connections) is.
const (
	mariaDBTaken    = "OK"
	mariaDBDenied   = "1045" // ER_ACCESS_DENIED_ERROR: of a wrong password
	mariaDBNoAccess = "1698" // ER_ACCESS_DENIED_NO_PASSWORD_ERROR: of an unknown user, too
	mariaDBLocked   = "4151" // ER_ACCOUNT_HAS_BEEN_LOCKED
	mariaDBKilled   = "1927" // ER_CONNECTION_KILLED: of a session
)

// Bits of what a client says that it can do (MariaDB, Connection Handshake).
const (
	canConnectWithDB = 1 << 3
	canSSL           = 1 << 11
	canSecure        = 1 << 15
	canPlugin        = 1 << 19
	canAttributes    = 1 << 20
	canLongAuth      = 1 << 21
)

// Kinds of a packet of the server before a session begins, and the command with
// which a client ends one.
const (
	packetOK     = 0x00
	packetSwitch = 0xfe // to another method, with a salt
	packetError  = 0xff
	commandQuit  = 0x01
	// maxQuestions bounds what a server asks: one for each method of a user.
	maxQuestions = 32
)

// relayMariaDB carries one connection to the server and back. The server greets with a
// salt, the client says who it is and shows by that that it knows a password, and the
// first answer that is no question is the decision:
//
//	server ── greeting: session, salt ──► client
//	       ◄── user, attributes, answer ──
//	       ── another salt ──►                    where there are several passwords
//	       ◄── answer ──
//	       ── OK, or an error ──►
func (l *logins) relayMariaDB(client net.Conn, server string, sessions *mariaDBSessions) error {
	defer client.Close()
	upstream, err := net.DialTimeout("tcp", server, startupWithin)
	if err != nil {
		return fmt.Errorf("reach the server: %w", err)
	}
	defer upstream.Close()
	if err := errors.Join(client.SetReadDeadline(time.Now().Add(startupWithin)), upstream.SetReadDeadline(time.Now().Add(startupWithin))); err != nil {
		return err
	}
	greeting, err := mariaDBPacket(upstream)
	if err != nil {
		return err
	}
	if _, err := client.Write(greeting); err != nil {
		return err
	}
	if greeting[4] == packetError {
		return fmt.Errorf("the server let nobody in: %s", mariaDBCode(greeting)) // nobody has said yet who it is
	}
	response, err := mariaDBPacket(client)
	if err != nil {
		return err
	}
	session, salt, err := mariaDBGreeting(greeting[4:])
	if err != nil {
		return err
	}
	user, application, answer, err := mariaDBLogin(response[4:])
	if err != nil {
		return err
	}
	login := newLogin(user, application)
	l.shown(login, sessions, salt, answer)
	login.remote = standin.CallerOf(client)
	if _, err := upstream.Write(response); err != nil {
		return err
	}
	packet, err := l.answersMariaDB(client, upstream, login, sessions)
	if err != nil {
		return err
	}
	entered := packet[4] == packetOK
	if entered {
		if err := sessions.enter(session, login); err != nil {
			l.log.Warn("server", "detail", err.Error())
		}
	}
	l.decidedMariaDB(login, packet)
	if _, err := client.Write(packet); err != nil || !entered {
		return err
	}
	if err := errors.Join(client.SetReadDeadline(time.Time{}), upstream.SetReadDeadline(time.Time{})); err != nil {
		return err
	}
	said := &lastWords{to: upstream, login: login}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(said, client) // its end is that of the session
		if !login.ended.Load() {
			l.lived(login)
		}
		_ = upstream.Close()
	}()
	if _, err = io.Copy(client, upstream); err == nil && !said.quit.Load() {
		login.ended.Store(true)
		l.end(login, mariaDBKilled) // the server has closed it, and not the client
	}
	_, _ = client.Close(), upstream.Close()
	<-done
	return err
}

// answersMariaDB hands on the server's questions and the client's answers, and gives
// the packet with which the server decides.
func (l *logins) answersMariaDB(client, upstream io.ReadWriter, login *login, sessions *mariaDBSessions) (decision []byte, err error) {
	for range maxQuestions {
		packet, err := mariaDBPacket(upstream)
		if err != nil {
			return nil, err
		}
		if packet[4] == packetOK || packet[4] == packetError {
			return packet, nil
		}
		if _, err := client.Write(packet); err != nil {
			return nil, err
		}
		answer, err := mariaDBPacket(client)
		if err != nil {
			return nil, err
		}
		if packet[4] == packetSwitch {
			r := mariaDBReader{rest: packet[5:]}
			r.text() // the method
			l.shown(login, sessions, bytes.TrimSuffix(r.rest, []byte{0}), answer[4:])
		}
		if _, err := upstream.Write(answer); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("the server asked again and again")
}

// shown notes whose password a client has shown that it knows, where the harness made
// it: it counts for more than what the client says of itself.
func (l *logins) shown(login *login, sessions *mariaDBSessions, salt, answer []byte) {
	tag, err := sessions.whose(salt, answer)
	if err != nil {
		l.log.Warn("server", "detail", err.Error())
	}
	if tag != "" {
		login.identifier = tag
	}
}

// decidedMariaDB tells what the server has decided.
func (l *logins) decidedMariaDB(login *login, packet []byte) {
	login.decide()
	if packet[4] == packetOK {
		l.accept(login, mariaDBTaken)
		return
	}
	switch code := mariaDBCode(packet); code {
	case mariaDBDenied, mariaDBNoAccess, mariaDBLocked:
		l.refuse(login, code, mariaDBText(packet))
	default:
		l.undecided(login, code, mariaDBText(packet))
	}
}

// mariaDBGreeting is the number of the session that a greeting begins, and its salt
// (MariaDB, Initial Handshake Packet).
func mariaDBGreeting(greeting []byte) (session uint32, salt []byte, err error) {
	const half, rest = 8, 12
	r := mariaDBReader{rest: greeting}
	r.number8() // of the protocol
	r.text()    // the version
	number, first := r.take(4), r.take(half)
	r.take(1 + 2 + 1 + 2 + 2 + 1 + 6 + 4) // what it can do, letters, its state
	second := r.take(rest)
	if r.err != nil {
		return 0, nil, r.err
	}
	return binary.LittleEndian.Uint32(number), append(bytes.Clone(first), second...), nil
}

// mariaDBPacket reads a packet with its head: a length of three bytes and a number.
func mariaDBPacket(from io.Reader) ([]byte, error) {
	head := make([]byte, 4, maxStartup)
	if _, err := io.ReadFull(from, head); err != nil {
		return nil, err
	}
	length := int(head[0]) | int(head[1])<<8 | int(head[2])<<16
	if length < 1 || length > maxStartup {
		return nil, fmt.Errorf("read a packet: its length is %d", length)
	}
	packet := append(head, make([]byte, length)...)
	_, err := io.ReadFull(from, packet[4:])
	return packet, err
}

// mariaDBCode is the number of an error packet.
func mariaDBCode(packet []byte) string {
	if len(packet) < 7 {
		return ""
	}
	return strconv.Itoa(int(binary.LittleEndian.Uint16(packet[5:])))
}

// mariaDBText is the text of an error packet, without its SQLSTATE.
func mariaDBText(packet []byte) string {
	if len(packet) > 13 && packet[7] == '#' {
		return string(packet[13:])
	}
	return ""
}

// mariaDBLogin is who logs in by a handshake response (MariaDB, Connection
// Handshake): the user, the program's name among the attributes that it sends, and its
// answer to the salt.
func mariaDBLogin(response []byte) (user, application string, answer []byte, err error) {
	const fixed = 4 + 4 + 1 + 23 // what it can do, the largest packet, its letters, nothing
	if len(response) < fixed {
		return "", "", nil, errors.New("read a handshake: it is too short")
	}
	can := binary.LittleEndian.Uint32(response)
	if can&canSSL != 0 && len(response) == fixed {
		return "", "", nil, errors.New("read a handshake: it asks for encryption, which was not offered")
	}
	r := mariaDBReader{rest: response[fixed:]}
	user = r.text()
	switch {
	case can&canLongAuth != 0:
		answer = r.counted()
	case can&canSecure != 0:
		answer = r.take(uint64(r.number8()))
	default:
		r.text()
	}
	if can&canConnectWithDB != 0 {
		r.text()
	}
	if can&canPlugin != 0 {
		r.text()
	}
	if can&canAttributes != 0 {
		attributes := mariaDBReader{rest: r.counted()}
		for len(attributes.rest) > 0 && attributes.err == nil {
			name, value := attributes.counted(), attributes.counted()
			if string(name) == contract.MariaDBApplication {
				application = string(value)
			}
		}
		r.err = errors.Join(r.err, attributes.err)
	}
	return user, application, answer, r.err
}

// mariaDBReader reads what a packet is made of; after an error it reads nothing.
type mariaDBReader struct {
	rest []byte
	err  error
}

// take reads so many bytes.
func (r *mariaDBReader) take(n uint64) []byte {
	if r.err != nil || n > uint64(len(r.rest)) {
		r.rest, r.err = nil, errors.New("read a handshake: it is cut off")
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

// text reads what ends with a zero byte.
func (r *mariaDBReader) text() string {
	end := bytes.IndexByte(r.rest, 0)
	if end < 0 {
		r.take(uint64(len(r.rest)) + 1)
		return ""
	}
	return string(r.take(uint64(end) + 1)[:end])
}

func (r *mariaDBReader) number8() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

// counted reads what has its length in front: one byte, or a mark and two, three or
// eight.
func (r *mariaDBReader) counted() []byte {
	wide := map[byte]uint64{0xfc: 2, 0xfd: 3, 0xfe: 8}
	first := r.number8()
	size, ok := wide[first]
	if !ok {
		return r.take(uint64(first))
	}
	number := make([]byte, 8)
	copy(number, r.take(size))
	return r.take(binary.LittleEndian.Uint64(number))
}

// lastWords passes on what a client says, notes when it used its session, and knows whether
// it has said that it ends.
type lastWords struct {
	to    io.Writer
	login *login
	quit  atomic.Bool
}

// Write passes it on.
func (w *lastWords) Write(p []byte) (int, error) {
	quit := len(p) >= 5 && bytes.Equal(p[len(p)-5:], []byte{1, 0, 0, 0, commandQuit})
	if w.quit.Store(quit); !quit {
		w.login.use()
	}
	return w.to.Write(p)
}
