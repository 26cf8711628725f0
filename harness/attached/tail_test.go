package attached

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestNoPipeIsFollowed: whoever opens one that nobody writes to waits for ever, and this test with it.
func TestNoPipeIsFollowed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	must(t, os.WriteFile(path, nil, 0o600))
	log, err := os.Open(path)
	must(t, err)
	defer log.Close()
	must(t, os.Remove(path))
	if err := exec.Command("mkfifo", path).Run(); err != nil {
		t.Skip("no pipe can be made: ", err)
	}
	if another, _ := replaced(path, log); another != nil {
		t.Error("a pipe took the place of a log, and is followed")
	}
}

// TestTailOverRotations: no line is lost where a log is rotated, whatever its program does meanwhile.
func TestTailOverRotations(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		rotate func(t *testing.T, path string)
		reopen bool // the program opens its log anew
	}{
		{"renamed, and the program goes on in the file that it has", renames, false},
		{"renamed, and opened anew", renames, true},
		{"copied and truncated", func(t *testing.T, path string) { must(t, os.Truncate(path, 0)) }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "log")
			open := func() *os.File {
				f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
				must(t, err)
				t.Cleanup(func() { _ = f.Close() })
				return f
			}
			log := open()
			read, err := os.Open(path)
			must(t, err)
			lines, ended := make(chan string), make(chan struct{})
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				defer close(ended)
				tail(ctx, path, read, func() time.Duration { return 0 }, func(raw []byte) { lines <- string(raw) })
			}()
			want := func(text string) {
				_, err := log.WriteString(text + "\n")
				must(t, err)
				select {
				case got := <-lines:
					if got != text {
						t.Errorf("got %q, want %q", got, text)
					}
				case <-time.After(10 * time.Second):
					t.Fatalf("%q was not read within 10s", text)
				}
			}
			for _, text := range []string{"a line that is longer than the next, so that what is truncated is seen to be", "the second is shorter than that", "the third is", "fourth"} {
				want(text)
				tt.rotate(t, path)
				if tt.reopen {
					want("rotated")
					log = open()
				}
			}
			want("end")
			cancel()
			<-ended
		})
	}
}

// renames moves a log away, as logrotate does, which makes a new one at once.
func renames(t *testing.T, path string) {
	must(t, os.Rename(path, path+"."+time.Now().Format(time.RFC3339Nano)))
	f, err := os.Create(path)
	must(t, err)
	must(t, f.Close())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
