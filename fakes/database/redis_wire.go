package database

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/standin"
	"github.com/rehearse-dev/rehearse/harness/contract"
)

const (
	// maxWords and maxWord bound a first command; a HELLO has seven words.
	maxWords = 32
	maxWord  = 1 << 12
)

// Codes of a refusal (Redis, ACL): of a user with its password, and of a
// command without either. NOPERM is no matter of a credential.
const (
	redisWrongPass = "WRONGPASS"
	redisNoAuth    = "NOAUTH"
	redisTaken     = "OK"
)

// relayRedis carries one connection to the server and back, and tells what the
// server answers to its first command, with which a client logs in.
func (l *logins) relayRedis(client net.Conn, server string) error {
	defer client.Close()
	if err := client.SetReadDeadline(time.Now().Add(startupWithin)); err != nil {
		return err
	}
	commands := bufio.NewReader(client)
	raw, words, err := firstCommand(commands)
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
	login := redisLogin(words)
	login.remote = standin.CallerOf(client)
	if _, err := upstream.Write(raw); err != nil {
		return err
	}
	answers := bufio.NewReader(upstream)
	first, err := answers.ReadSlice('\n')
	if err != nil {
		return err
	}
	l.answered(login, string(first))
	if _, err := client.Write(first); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(usageWriter{upstream, login}, commands) // its end is that of the session
		if login.left.Store(true); !login.ended.Load() {
			l.lived(login)
		}
		_ = upstream.Close()
	}()
	_, err = io.Copy(client, answers)
	login.ended.Store(true) // or it had left before
	if !login.left.Load() && login.in.Load() {
		l.end(login, "") // Redis says nothing when it does
	}
	_, _ = client.Close(), upstream.Close()
	<-done
	return err
}

// usageWriter passes on what a client writes, and notes when it last did.
type usageWriter struct {
	io.Writer
	login *login
}

func (u usageWriter) Write(p []byte) (int, error) {
	u.login.use()
	return u.Writer.Write(p)
}

// answered tells what the first line of the server's answer says of a login.
func (l *logins) answered(login *login, line string) {
	text, failed := strings.CutPrefix(strings.TrimSpace(line), "-")
	code, _, _ := strings.Cut(text, " ")
	switch {
	case !login.decide():
	case !failed:
		l.accept(login, redisTaken)
	case code == redisWrongPass || code == redisNoAuth:
		l.refuse(login, code, text)
	default: // loading, too many clients: nothing is said of the password
		l.undecided(login, code, "") // the text may quote what was sent
	}
}

// firstCommand reads a command, which is an array of strings (RESP
// specification), as it is and in words.
func firstCommand(from *bufio.Reader) (raw []byte, words []string, err error) {
	var read bytes.Buffer
	number := func(kind byte, most int) (int, error) {
		line, err := from.ReadString('\n')
		if err != nil {
			return 0, err
		}
		read.WriteString(line) // a buffer's Write never fails
		n, err := strconv.Atoi(strings.TrimSpace(line[1:]))
		if line[0] != kind || err != nil || n < 0 || n > most {
			return 0, errors.New("read a first command: it is no array of strings")
		}
		return n, nil
	}
	count, err := number('*', maxWords)
	if err != nil {
		return nil, nil, err
	}
	for range count {
		length, err := number('$', maxWord)
		if err != nil {
			return nil, nil, err
		}
		word := make([]byte, length+len("\r\n"))
		if _, err := io.ReadFull(from, word); err != nil {
			return nil, nil, err
		}
		read.Write(word)
		words = append(words, string(word[:length]))
	}
	return read.Bytes(), words, nil
}

// redisLogin is the login of a first command: HELLO 3 AUTH user password
// SETNAME name, or AUTH user password. One user has several passwords, so the
// password says which credential it is of, by the tag in front of it.
func redisLogin(words []string) *login {
	var password, name string
	for i, word := range words {
		switch strings.ToUpper(word) {
		case "AUTH":
			if i+2 < len(words) {
				password = words[i+2]
			}
		case "SETNAME":
			if i+1 < len(words) {
				name = words[i+1]
			}
		}
	}
	tag, _, tagged := strings.Cut(password, contract.DatabaseTagEnd)
	if !tagged {
		tag = ""
	}
	return newLogin(tag, name)
}
