package standin

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// Service runs a stand-in until ctx ends, and then returns nil. It takes over
// the listener, reads its configuration as JSON and writes its log to log, one
// Write a line. Every service answers GET /healthz (200 when it is ready, else
// 503 and what it waits for), GET /rehearse/status (its counters), and POST
// /rehearse/quiesce, by which it ends what it does unasked.
type Service func(ctx context.Context, config []byte, listener net.Listener, log io.Writer) error

// Process is the surroundings in which a stand-in runs.
type Process struct {
	Getenv func(string) string
	Stdin  io.Reader
	Stdout io.Writer
}

// Run serves s, with the configuration in its surroundings, until ctx or the
// lifeline ends. The error says what could not be done; to be ended is none.
func (p Process) Run(ctx context.Context, s Service) error {
	sealed, err := p.sealed()
	if err != nil {
		return err
	}
	setting := func(name string) string { return cmp.Or(sealed[name], p.Getenv(name)) }
	ctx = context.WithValue(ctx, sealedKey{}, sealed)
	ctx, cancel := context.WithCancel(contract.WithControl(ctx, setting(contract.ControlVariable)))
	defer cancel()
	secure, err := adopt(setting(contract.TrustVariable))
	if err != nil {
		return err
	}
	switch lifeline := p.Getenv(contract.LifelineVariable); lifeline {
	case "":
	case contract.Lifeline:
		// A read of stdin cannot be called off: this goroutine ends with the
		// process, which Run's return ends too.
		go func() {
			defer cancel()
			_, _ = io.Copy(io.Discard, p.Stdin) // an error means the same as the end
		}()
	default:
		return fmt.Errorf("read %s: %q is not known, only stdin is", contract.LifelineVariable, lifeline)
	}
	config, err := configuration(setting(contract.Variable), setting(contract.IndexVariable))
	if err != nil {
		return err
	}
	listener, err := p.listen(ctx)
	if err != nil {
		return err
	}
	if secure != nil {
		listener = tls.NewListener(listener, secure)
	}
	defer listener.Close() // for a service that gave up before it served
	log := newPatientLog(p.Stdout)
	defer log.end()
	return s(ctx, config, listener, log)
}

// configuration is the one that is meant of those in a variable.
func configuration(value, index string) ([]byte, error) {
	if index == "" {
		return []byte(value), nil
	}
	var all []json.RawMessage
	if err := json.Unmarshal([]byte(value), &all); err != nil {
		return nil, fmt.Errorf("read %s, of which %s names one: %w", contract.Variable, contract.IndexVariable, err)
	}
	i, err := strconv.Atoi(index)
	if err != nil || i < 0 || i >= len(all) {
		return nil, fmt.Errorf("read %s: %q is none of the %d configurations in %s, which are numbered from 0", contract.IndexVariable, index, len(all), contract.Variable)
	}
	return all[i], nil
}

// sealedKey is that of a context which has the sealed variables.
type sealedKey struct{}

// sealed are the variables that came by a descriptor or in a file; nil: none did.
func (p Process) sealed() (map[string]string, error) {
	file, err := p.openSealed()
	if file == nil || err != nil {
		return nil, err
	}
	defer file.Close()
	sealed, err := contract.ReadSealed(file)
	if err != nil {
		return nil, fmt.Errorf("read sealed variables: %w", err)
	}
	return sealed, nil
}

func (p Process) openSealed() (*os.File, error) {
	if path := p.Getenv(contract.SealedFileVariable); path != "" {
		file, err := source.Open(path)
		if err != nil {
			return nil, fmt.Errorf("read sealed variables: %w", err)
		}
		return file, nil
	}
	inherited := p.Getenv(contract.SealedFDVariable)
	if inherited == "" {
		return nil, nil
	}
	fd, err := strconv.ParseUint(inherited, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", contract.SealedFDVariable, err)
	}
	file := os.NewFile(uintptr(fd), "sealed variables")
	if file == nil {
		return nil, fmt.Errorf("read sealed variables: descriptor %d is not open", fd)
	}
	return file, nil
}

func (p Process) listen(ctx context.Context) (net.Listener, error) {
	inherited := p.Getenv(contract.ListenFDVariable)
	if inherited == "" {
		address := p.Getenv(contract.ListenVariable)
		if address == "" {
			address = contract.DefaultListen
		}
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			return nil, fmt.Errorf("listen: %w", err)
		}
		return listener, nil
	}
	fd, err := strconv.ParseUint(inherited, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", contract.ListenFDVariable, err)
	}
	file := os.NewFile(uintptr(fd), "listener")
	if file == nil {
		return nil, fmt.Errorf("listen on inherited descriptor %d: it is not open", fd)
	}
	defer file.Close() // FileListener has a duplicate of its own
	listener, err := net.FileListener(file)
	if err != nil {
		return nil, fmt.Errorf("listen on inherited descriptor %d: %w", fd, err)
	}
	return listener, nil
}
