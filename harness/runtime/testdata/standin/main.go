// Standin is the smallest service that keeps the contract between a runtime
// and a stand-in, for tests of runtimes: serve KIND, configured by
// REHEARSE_CONFIG. What it does besides is asked of it over HTTP.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

type config struct {
	Greeting string `json:"greeting"`
	Fetch    string `json:"fetch"`    // asked by GET /fetch
	Unwell   bool   `json:"unwell"`   // answers 503 to /healthz
	Exit     int    `json:"exit"`     // ends at once with this code
	Stubborn bool   `json:"stubborn"` // ignores SIGTERM
	Delay    string `json:"delay"`    // before it is ready
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "standin:", err)
		os.Exit(1)
	}
}

func listen() (net.Listener, error) {
	if fd := os.Getenv("REHEARSE_LISTEN_FD"); fd != "" {
		n, err := strconv.Atoi(fd)
		if err != nil {
			return nil, err
		}
		return net.FileListener(os.NewFile(uintptr(n), "listener"))
	}
	return net.Listen("tcp", os.Getenv("REHEARSE_LISTEN"))
}

// told are the variables in the environment, and in what a descriptor or a file has.
func told() (map[string]string, error) {
	variables := map[string]string{}
	for _, v := range os.Environ() {
		name, value, _ := strings.Cut(v, "=")
		variables[name] = value
	}

	from, err := os.Open(os.Getenv("REHEARSE_SEALED_FILE"))
	if n, bad := strconv.Atoi(os.Getenv("REHEARSE_SEALED_FD")); bad == nil {
		from, err = os.NewFile(uintptr(n), "sealed"), nil
	}
	if err != nil {
		return variables, nil
	}
	return variables, json.NewDecoder(from).Decode(&variables)
}

func run() error {
	var c config
	variables, err := told()
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(variables["REHEARSE_CONFIG"]), &c); err != nil {
		return fmt.Errorf("read config: %w", err)
	}
	fmt.Println("args", strings.Join(os.Args[1:], " "))
	if i := slices.Index(os.Args, "job"); i > 0 { // job STATUS: one that comes to its end
		status, err := strconv.Atoi(os.Args[i+1])
		if err != nil {
			return err
		}
		os.Exit(status)
	}
	if c.Exit != 0 {
		fmt.Fprintln(os.Stderr, "last words")
		os.Exit(c.Exit)
	}
	if os.Getenv("REHEARSE_LIFELINE") == "stdin" {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			fmt.Println("lifeline cut")
			os.Exit(0)
		}()
	}
	listener, err := listen()
	if err != nil {
		return err
	}
	delay, _ := time.ParseDuration(c.Delay)
	readyAt := time.Now().Add(delay)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if c.Stubborn {
		signal.Ignore(syscall.SIGTERM)
	}
	var served atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if c.Unwell || time.Now().Before(readyAt) {
			http.Error(w, "unwell", http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("GET /greeting", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, c.Greeting)
	})
	mux.HandleFunc("GET /caller", func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		fmt.Fprint(w, host)
	})
	mux.HandleFunc("GET /file", func(w http.ResponseWriter, r *http.Request) {
		content, err := os.ReadFile(r.FormValue("path"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		_, _ = w.Write(content)
	})
	mux.HandleFunc("GET /served", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, served.Add(1))
	})
	mux.HandleFunc("GET /environment", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.Join(os.Environ(), "\n"))
	})
	mux.HandleFunc("GET /told", func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range variables {
			fmt.Fprintln(w, name+"="+value)
		}
	})
	mux.HandleFunc("GET /fetch", func(w http.ResponseWriter, r *http.Request) {
		response, err := http.Get(c.Fetch)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer response.Body.Close()
		_, _ = io.Copy(w, response.Body)
	})
	mux.HandleFunc("GET /exit", func(http.ResponseWriter, *http.Request) {
		for i := range 1000 {
			fmt.Println("going", i)
		}
		os.Exit(3)
	})
	hangUps := make(chan os.Signal, 1)
	signal.Notify(hangUps, syscall.SIGHUP)
	go func() {
		for range hangUps {
			fmt.Println("told to reload")
		}
	}()
	var open atomic.Int64
	server := &http.Server{Handler: mux, ConnState: func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed:
			open.Add(-1)
		}
	}}
	go func() {
		<-ctx.Done()
		fmt.Println("asked to end")
		listener.Close()
	}()
	fmt.Println("listening")
	if err := server.Serve(listener); !errors.Is(err, net.ErrClosed) {
		return err
	}
	// Whoever was let in is answered first. A shutdown would not do: it hangs up on
	// those whose request it reads while it has begun.
	for deadline := time.Now().Add(time.Second); open.Load() > 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	for i := range 1000 {
		fmt.Println("ending", i)
	}
	fmt.Println("bye")
	return nil
}
