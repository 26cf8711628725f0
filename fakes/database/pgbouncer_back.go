package database

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// behindListener is where the pooler reaches its database: each login is given the
// pooler's name, which PgBouncer does not say, and its outcome is told.
type behindListener struct {
	net.Listener
	end  context.CancelFunc
	wait sync.WaitGroup
}

func (b *behindListener) close() error {
	b.end()
	err := b.Listener.Close()
	b.wait.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// listenBehind takes the pooler's connections until it is closed.
func (p *pooler) listenBehind(database string) (*behindListener, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	open, end := context.WithCancel(context.Background())
	b := &behindListener{Listener: listener, end: end}
	b.wait.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			b.wait.Go(func() {
				stop := context.AfterFunc(open, func() { conn.Close() })
				defer stop()
				if err := p.carry(open, conn, database); err != nil {
					p.log.Debug("a connection to the database ended", "detail", err.Error())
				}
			})
		}
	})
	return b, nil
}

// carry carries one connection of the pooler to its database and back.
func (p *pooler) carry(ctx context.Context, from net.Conn, database string) error {
	defer from.Close()
	packet, code, err := firstPacket(from)
	if err != nil {
		return err
	}
	dialler := net.Dialer{Timeout: startupWithin}
	upstream, err := dialler.DialContext(ctx, "tcp", database)
	if err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	defer upstream.Close()
	stop := context.AfterFunc(ctx, func() { upstream.Close() })
	defer stop()
	if code == codeCancel {
		_, err := upstream.Write(packet)
		return err
	}
	user := startup(packet)["user"]
	if _, err := upstream.Write(named(packet, p.config.Name+"/"+contract.DatabasePooled)); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(upstream, from)
		_ = upstream.Close()
	}()
	back := &logins{name: p.config.Name, log: p.log, tally: newTally()}
	back.answers = func(_ *login, code, text string) { p.behind(user, code, text) }
	back.entered = func(*login) { p.behind(user, stateOK, "") }
	err = back.answer(from, upstream, &login{own: true, began: time.Now()})
	if err == nil {
		_, err = io.Copy(from, upstream)
	}
	_, _ = from.Close(), upstream.Close()
	<-done
	return err
}

// named is a start-up packet with an application name.
func named(packet []byte, name string) []byte {
	out := append([]byte{}, packet[:len(packet)-1]...) // without the end of its settings
	out = append(out, "application_name\x00"+name+"\x00\x00"...)
	binary.BigEndian.PutUint32(out, uint32(len(out)))
	return out
}
