package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/peer"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// service is one party of the run; it may live several times.
type service struct {
	runtime *Runtime
	spec    world.Spec
	address *net.TCPAddr

	mu          sync.Mutex
	listener    *net.TCPListener // until a life takes it
	current     *life
	environment map[string]string // over that of its spec
	job         bool              // it listens nowhere, and comes to its end
}

func (s *service) life() *life {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

// start begins a life and returns when it is ready.
func (s *service) start(ctx context.Context) error {
	if err := launch.Initialize(ctx, s.spec, s.initialize); err != nil {
		return err
	}
	l, err := s.spawn()
	if err != nil {
		return err
	}
	path := s.spec.Health
	if path == "" && s.spec.Serve != "" {
		path = contract.HealthPath
	}
	base := s.runtime.URL(s.spec.Name, false)
	if s.spec.HealthPort != 0 {
		base = launch.Address{Host: "127.0.0.1", Port: s.spec.HealthPort}.URL()
	}
	return l.AwaitReady(ctx, base, path, s.runtime.o.ReadyWithin)
}

// initialize runs a command before the service to its end.
func (s *service) initialize(ctx context.Context, _ int, spec world.Spec) error {
	s.mu.Lock()
	job := &service{runtime: s.runtime, spec: spec, environment: s.environment, job: true}
	s.mu.Unlock()
	l, err := job.spawn()
	if err != nil {
		return err
	}
	err = l.AwaitEnd(ctx, s.runtime.o.ReadyWithin)
	if !l.Over() {
		err = errors.Join(err, l.kill(context.WithoutCancel(ctx)))
	}
	return err
}

// stop ends what there is of it.
func (s *service) stop(ctx context.Context) error {
	s.mu.Lock()
	listener, l := s.listener, s.current
	s.listener = nil
	s.mu.Unlock()
	if listener != nil {
		if err := listener.Close(); err != nil {
			return err
		}
	}
	if l == nil {
		return nil
	}
	return l.stop(ctx)
}

// succeed ends a life in order and begins another with more in its environment,
// on the same socket where the system can hand it on.
func (s *service) succeed(ctx context.Context, l *life, environment map[string]string) error {
	socket := l.takeSocket()
	if err := l.stop(ctx); err != nil {
		if socket != nil {
			_ = socket.Close() // what matters is that its owner has not ended
		}
		return fmt.Errorf("end the old one: %w", err)
	}
	if socket == nil {
		if err := s.listenAgain(ctx); err != nil {
			return err
		}
	}
	s.mu.Lock()
	if socket != nil {
		s.listener = socket
	}
	s.environment = maps.Clone(environment)
	s.mu.Unlock()
	return s.start(ctx)
}

// listenAgain takes the service's port back. It may be held for a moment by an
// outgoing connection that happens to come from it.
func (s *service) listenAgain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for {
		listener, err := net.ListenTCP("tcp4", s.address)
		if err == nil {
			s.mu.Lock()
			s.listener = listener
			s.mu.Unlock()
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("take port %d back: %w", s.address.Port, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// spawn starts the process. Whoever stops it waits for it by its life.
func (s *service) spawn() (*life, error) {
	cmd, sealed, err := s.command()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	listener := s.listener
	s.listener = nil
	if listener == nil && !s.job {
		return nil, errors.New("it was stopped meanwhile")
	}
	var socket *net.TCPListener
	if !s.job {
		if socket, err = s.hand(cmd, listener); err != nil {
			return nil, err
		}
	}
	l := &life{Life: launch.NewLife(), service: s, cmd: cmd, socket: socket}
	for _, file := range cmd.ExtraFiles {
		defer file.Close() // the child has its own
	}
	tell, err := seal(cmd, sealed)
	if err != nil {
		l.refuse()
		return nil, err
	}
	defer tell(false) // where it was not started
	out, in, err := os.Pipe()
	if err != nil {
		l.refuse()
		return nil, fmt.Errorf("open a pipe for its log: %w", err)
	}
	defer in.Close()
	cmd.Stdout, cmd.Stderr = in, in
	// The lifeline: its other end is closed by Wait, or with this process.
	l.lifeline, err = cmd.StdinPipe()
	if err != nil {
		out.Close()
		l.refuse()
		return nil, fmt.Errorf("open its lifeline: %w", err)
	}
	isolate(cmd)
	if err := cmd.Start(); err != nil {
		out.Close()
		l.refuse()
		return nil, err
	}
	s.current = l
	tell(true)
	go l.attend(out)
	if err := s.runtime.o.Record.AddProcess(cmd.Process.Pid); err != nil {
		return nil, errors.Join(err, l.kill(context.Background()))
	}
	return l, nil
}

// command is the command line and the environment: little of the surrounding
// shell's, so that nothing of it (VAULT_*, REHEARSE_*, proxies) is at work in a rehearsal.
//
// What is sealed goes by a descriptor, where those can be handed on.
func (s *service) command() (cmd *exec.Cmd, sealed map[string]string, err error) {
	s.mu.Lock()
	own := s.environment
	s.mu.Unlock()
	s.runtime.mu.Lock()
	defer s.runtime.mu.Unlock()
	addresses := s.runtime.addresses
	environment, sealed, err := addresses.Variables(s.spec)
	if err != nil {
		return nil, nil, err
	}
	if s.spec.Serve == "" {
		maps.Copy(environment, own)
		words, err := addresses.Command(s.spec)
		if err != nil {
			return nil, nil, err
		}
		cmd = exec.Command(words[0], words[1:]...)
		cmd.Dir = s.spec.Dir
	} else {
		maps.Copy(sealed, own)
		cmd = exec.Command(s.runtime.executable, "serve", s.spec.Serve)
		environment[contract.LifelineVariable] = contract.Lifeline
		if !inheritsSockets { // nor other descriptors
			maps.Copy(environment, sealed)
		}
	}
	for _, name := range inheritedVariables {
		if value, set := os.LookupEnv(name); set {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	for name, value := range environment {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	// What it starts has the mark too, and is found by it, wherever it goes.
	cmd.Env = append(cmd.Env, peer.MarkVariable+"="+s.runtime.o.Record.Mark(s.spec.Name))
	return cmd, sealed, nil
}

// inheritedVariables are what a program may need to run at all, on any system.
var inheritedVariables = []string{
	"PATH", "HOME", "TMPDIR", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"SYSTEMROOT", "TEMP", "TMP", "USERPROFILE",
}

// hand gives a process its place to listen. Where the system can do so, a
// stand-in inherits the socket itself, of which the copy that this process keeps
// is returned; else the address is free for it to take.
func (s *service) hand(cmd *exec.Cmd, listener *net.TCPListener) (kept *net.TCPListener, err error) {
	if s.spec.Serve == "" { // its command says where
		return nil, listener.Close()
	}
	if !inheritsSockets {
		cmd.Env = append(cmd.Env, contract.ListenVariable+"="+s.address.String())
		return nil, listener.Close()
	}
	file, err := listener.File()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("hand over its listening socket: %w", err), listener.Close())
	}
	cmd.ExtraFiles = []*os.File{file}
	cmd.Env = append(cmd.Env, contract.ListenFDVariable+"=3") // the first after the standard three
	return listener, nil
}

// seal has a process inherit a descriptor from which it reads variables that are
// not to stand in its environment. They are written to it by tell(true), once, as
// soon as it was started; tell(false) leaves them unsaid. The process that does
// not read them ends the writing when it ends.
func seal(cmd *exec.Cmd, sealed map[string]string) (tell func(started bool), err error) {
	if len(cmd.ExtraFiles) == 0 || len(sealed) == 0 {
		return func(bool) {}, nil
	}
	content, err := json.Marshal(sealed)
	if err != nil {
		return nil, fmt.Errorf("encode its configuration: %w", err)
	}
	from, to, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("open a pipe for its configuration: %w", err)
	}
	cmd.ExtraFiles = append(cmd.ExtraFiles, from)
	cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d", contract.SealedFDVariable, 2+len(cmd.ExtraFiles)))
	var once sync.Once
	return func(started bool) {
		once.Do(func() {
			_ = from.Close() // the child has its own
			if !started {
				_ = to.Close()
				return
			}
			go func() { // more than a pipe holds is written as it is read
				_, _ = to.Write(content) // who did not read it has ended, and its log says why
				_ = to.Close()
			}()
		})
	}, nil
}
