package launch

import (
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"io"
)

func TestLines(t *testing.T) {
	long := strings.Repeat("x", MaxLine)
	tests := []struct {
		name, text string
		want       []string
	}{
		{name: "none", text: "", want: nil},
		{name: "two", text: "a\nb\n", want: []string{"a", "b"}},
		{name: "last without newline", text: "a\nb", want: []string{"a", "b"}},
		{name: "empty ones and carriage returns", text: "\na\r\n\n", want: []string{"", "a", ""}},
		{name: "longest", text: long + "\nb\n", want: []string{long, "b"}},
		{name: "too long is cut", text: long + "yyy\nb\n", want: []string{long, "b"}},
		{name: "too long at the end", text: long + "yyy", want: []string{long}},
	}
	for _, tt := range tests {
		for how, reader := range map[string]io.Reader{
			"whole": strings.NewReader(tt.text),
			"bits":  iotest.HalfReader(strings.NewReader(tt.text)),
		} {
			t.Run(tt.name+" "+how, func(t *testing.T) {
				var got []string
				var kept [][]byte
				lines := &Lines{Deliver: func(line []byte) { got, kept = append(got, string(line)), append(kept, line) }}
				if _, err := io.Copy(lines, reader); err != nil {
					t.Fatal(err)
				}
				if err := lines.Close(); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("got %d lines %.60q; want %d %.60q", len(got), got, len(tt.want), tt.want)
				}
				for i := range kept {
					if string(kept[i]) != got[i] {
						t.Errorf("line %d was changed after it was delivered", i)
					}
				}
			})
		}
	}
}
