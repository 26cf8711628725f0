package docker

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/client"
)

// importerRole makes the test binary a process that makes an image of the file
// that it names, once its input ends, and prints the image's name.
const importerRole = "TEST_IMPORT"

func beImporter() {
	fail := func(err error) {
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
	}
	ctx := context.Background()
	e, err := connect(ctx)
	fail(err)
	fmt.Println("ready")
	_, err = bufio.NewReader(os.Stdin).ReadString('\n')
	fail(err)
	image, err := e.importBinary(ctx, os.Getenv(importerRole), binarySource{cache: os.Getenv("TEST_BINARIES"), progress: func(string) {}})
	fail(err)
	fmt.Println(image)
	os.Exit(0)
}

// TestProcessesMakeOneImage has several processes make the image of one binary
// at the same moment: an engine keeps what loses a race as an image without a name.
func TestProcessesMakeOneImage(t *testing.T) {
	needEngine(t)
	e, err := connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	dir := t.TempDir()
	binary := filepath.Join(dir, "rehearse")
	// Its size keeps an engine busy for long enough that the others come.
	if err := os.WriteFile(binary, append(make([]byte, 16<<20), rand.Text()...), 0o600); err != nil {
		t.Fatal(err)
	}
	type process struct {
		said  *bufio.Reader
		start func() error
		wait  func() error
	}
	processes := make([]process, 4)
	for i := range processes {
		command := exec.Command(os.Args[0])
		command.Env = append(os.Environ(), importerRole+"="+binary, "TEST_BINARIES="+dir)
		command.Stderr = os.Stderr
		in, err := command.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		defer command.Process.Kill() // where the test ends before it does
		start := func() error { _, err := fmt.Fprintln(in); return err }
		processes[i] = process{bufio.NewReader(out), start, command.Wait}
		if line, err := processes[i].said.ReadString('\n'); line != "ready\n" {
			t.Fatalf("process %d said %q, %v", i, line, err)
		}
	}
	for _, p := range processes {
		if err := p.start(); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	for i, p := range processes {
		line, err := p.said.ReadString('\n')
		if exit := p.wait(); err != nil || exit != nil {
			t.Fatalf("process %d said %q, %v, %v", i, line, err, exit)
		}
		names = append(names, strings.TrimSpace(line))
		testImages.Store(names[i], true)
	}
	if len(slices.Compact(slices.Clone(names))) != 1 {
		t.Errorf("got images %v, want one name", names)
	}
	made, err := e.ImageInspect(t.Context(), names[0])
	if err != nil {
		t.Fatal(err)
	}
	same := imagesOf(t, e, made.RootFS.Layers)
	if !slices.Equal(same, []string{made.ID}) {
		t.Errorf("got images %v of the same file, want %s alone", same, made.ID)
	}
	for _, id := range same {
		if id != made.ID { // that one goes with its name
			testImages.Store(id, true)
		}
	}
}

// imagesOf lists the images, with and without names, that are made of some layers.
func imagesOf(t *testing.T, e *engine, layers []string) []string {
	t.Helper()
	list, err := e.ImageList(t.Context(), client.ImageListOptions{All: true})
	if err != nil {
		t.Fatal(err)
	}
	var same []string
	for _, image := range list.Items {
		// Others come and go on an engine that is not the test's alone.
		if of, err := e.ImageInspect(t.Context(), image.ID); err == nil && slices.Equal(of.RootFS.Layers, layers) {
			same = append(same, image.ID)
		}
	}
	return same
}
