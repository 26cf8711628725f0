package server

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestSharedMemoryGoesWithItsFolder(t *testing.T) {
	segment := func() int {
		id, err := unix.SysvShmGet(unix.IPC_PRIVATE, 56, unix.IPC_CREAT|0o600)
		if err != nil {
			t.Skipf("there is no System V shared memory here: %v", err)
		}
		t.Cleanup(func() { _, _ = unix.SysvShmCtl(id, unix.IPC_RMID, nil) })
		return id
	}
	there := func(id int) bool {
		_, err := unix.SysvShmCtl(id, unix.IPC_STAT, &unix.SysvShmDesc{})
		return err == nil
	}
	killed, used := segment(), segment()
	memory, err := unix.SysvShmAttach(used, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.SysvShmDetach(memory) //nolint:errcheck // of a test
	for id, gone := range map[int]bool{killed: true, used: false} {
		folder := filepath.Join(t.TempDir(), "rehearse-over-db")
		if err := os.MkdirAll(filepath.Join(folder, "data"), 0o700); err != nil {
			t.Fatal(err)
		}
		lock := fmt.Sprintf("4711\n/data\n1764392000\n5432\n/tmp\nlocalhost\n  2094591    %d\nready   \n", id)
		if err := os.WriteFile(filepath.Join(folder, "data", "postmaster.pid"), []byte(lock), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := RemoveData(folder); err != nil {
			t.Fatal(err)
		}
		if there(id) == gone {
			t.Errorf("the segment is there: %v; want %v", there(id), !gone)
		}
	}
}
