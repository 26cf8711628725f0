package launch

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestLifeTellsOfItsEnd(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	exit := errors.New("exit status 1")
	tests := []struct {
		name   string
		before func(*Life)
		news   bool
		killed bool
	}{
		{name: "by itself", before: func(*Life) {}, news: true},
		{name: "killed on request", before: (*Life).Killing, news: true, killed: true},
		{name: "stopped", before: (*Life).Stopping},
		{name: "killed while being stopped", before: func(l *Life) { l.Stopping(); l.Killing() }, killed: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := NewLife()
			if err := l.AwaitReady(t.Context(), server.URL, "", time.Second); err != nil {
				t.Fatal(err)
			}
			tt.before(l)
			if l.Over() || l.Wait(t.Context(), time.Millisecond) == nil {
				t.Error("it is over before its end")
			}
			var told error
			l.End(exit, func(err error) { told = err })
			if got := told != nil; got != tt.news {
				t.Errorf("its end was told: %v; want %v", got, tt.news)
			}
			if !errors.Is(l.exit, exit) || errors.Is(l.exit, ErrKilled) != tt.killed {
				t.Errorf("exit is %v; want %v, killed on request: %v", l.exit, exit, tt.killed)
			}
			if !l.Over() || l.Wait(t.Context(), time.Second) != nil {
				t.Error("it is not over after its end")
			}
		})
	}
}

func TestLifeThatEndsBeforeItIsReady(t *testing.T) {
	l := NewLife()
	go l.End(errors.New("exit status 7"), func(error) { t.Error("its end was told, beside the failed start") })
	err := l.AwaitReady(t.Context(), "http://127.0.0.1:1", "/", 10*time.Second)
	if !errors.Is(err, ErrEnded) || !strings.Contains(err.Error(), "exit status 7") {
		t.Errorf("got %v; want that it ended, and how", err)
	}
}

func TestLifeWithoutAddress(t *testing.T) {
	l := NewLife()
	if err := l.AwaitReady(t.Context(), "", "", time.Second); err != nil {
		t.Errorf("got %v; want ready", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Wait(ctx, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v; want the context's end", err)
	}
}
