package console

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
)

func TestJSONIsAHistory(t *testing.T) {
	var b bytes.Buffer
	j := NewJSON(&b)
	for _, e := range record() {
		j.Event(e)
	}
	j.Dropped(7)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j.Event(history.Event{Kind: history.KindEnd}) // too late
	h, err := history.Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	want := append(record(), history.Event{At: at(23700), Kind: history.KindTrouble, Count: 7, Detail: "events dropped: their reader was too slow"})
	if !reflect.DeepEqual(h.Events, want) {
		t.Errorf("read back %d events that differ from the %d written", len(h.Events), len(want))
	}
}

func TestJSONKeepsTheWriteError(t *testing.T) {
	w := &goneWriter{}
	j := NewJSON(w)
	j.Event(history.Event{Kind: history.KindEnd})
	j.Event(history.Event{Kind: history.KindEnd})
	if err := j.Close(); !errors.Is(err, errGone) || w.calls != 1 {
		t.Errorf("got error %v after %d writes, want the writer's own after 1", err, w.calls)
	}
}
