package contract

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os/exec"
	"strings"
	"testing"
)

// awkward breaks whatever is quoted by hand.
const awkward = "p@s/s%w#o$r\"d'\\ `=:!;&+ é\nnext"

// TestFunctionsAreRead has what each function writes read by what reads such a place.
func TestFunctionsAreRead(t *testing.T) {
	for name, read := range map[string]func(written string) (string, error){
		"base64": func(w string) (string, error) { b, err := base64.StdEncoding.DecodeString(w); return string(b), err },
		"base64url": func(w string) (string, error) {
			b, err := base64.RawURLEncoding.DecodeString(w)
			return string(b), err
		},
		"hex":   func(w string) (string, error) { b, err := hex.DecodeString(w); return string(b), err },
		"lines": func(w string) (string, error) { return w, nil },
		"json": func(w string) (text string, err error) {
			err = json.Unmarshal([]byte(w), &text)
			return text, err
		},
		"urlquery": func(w string) (string, error) {
			at, err := url.Parse("postgres://shop:" + w + "@db:5432/orders?password=" + w)
			if err != nil {
				return "", err
			}
			if password, _ := at.User.Password(); password != at.Query().Get("password") {
				return "", fmt.Errorf("between user and host it is %q", password)
			}
			return at.Query().Get("password"), nil
		},
		"shell": func(w string) (string, error) {
			out, err := exec.Command("sh", "-c", "printf %s "+w).Output()
			return string(out), err
		},
		"dotenv":     func(w string) (string, error) { return unescaped(w[1:len(w)-1], "\\\"$`"), nil },
		"conninfo":   func(w string) (string, error) { return unescaped(w[1:len(w)-1], `\'`), nil },
		"properties": func(w string) (string, error) { return fromProperties(w), nil },
	} {
		written := Fill("{{ .secret.value | "+name+" }}", func(Word) (Value, bool) { return Text(awkward), true })
		if got, err := read(written); err != nil || got != awkward {
			t.Errorf("%s: wrote %s, which is read as %q, %v; want %q", name, written, got, err, awkward)
		}
	}
	if len(Functions) != 10 {
		t.Errorf("there are %d functions, and 10 are read here", len(Functions))
	}
}

// unescaped reads what has a backslash before some characters, and \n.
func unescaped(text, special string) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			i++
			if text[i] == 'n' && !strings.Contains(special, "n") {
				out.WriteByte('\n')
				continue
			}
		}
		out.WriteByte(text[i])
	}
	return out.String()
}

// fromProperties reads a value as java.util.Properties.load does.
func fromProperties(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			out.WriteByte(text[i])
			continue
		}
		i++
		switch text[i] {
		case 'n':
			out.WriteByte('\n')
		case 'u':
			code, _ := hex.DecodeString(text[i+1 : i+5])
			out.WriteRune(rune(code[0])<<8 | rune(code[1]))
			i += 4
		default:
			out.WriteByte(text[i])
		}
	}
	return out.String()
}

func TestFunctionsOfAList(t *testing.T) {
	both := func(Word) (Value, bool) { return List([]string{`a"b`, "c"}), true }
	for text, want := range map[string]string{
		"{{ .secret.values }}":                  `a"b,c`,
		"{{ .secret.values | json }}":           `["a\"b","c"]`,
		"{{ .secret.values | lines }}":          "a\"b\nc",
		"{{ .secret.values | base64 }}":         "YSJi,Yw==",
		"{{ .secret.values | base64 | lines}}":  "YSJi\nYw==",
		"{{ .secret.values|lines|base64 }}":     "YSJiCmM=",
		`{"keys": {{ .secret.values | json }}}`: `{"keys": ["a\"b","c"]}`,
	} {
		if got := Fill(text, both); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	none := func(Word) (Value, bool) { return List(nil), true }
	if got := Fill("{{ .secret.values | json }}", none); got != "[]" {
		t.Errorf("no texts: got %s, want []", got)
	}
}

func TestRename(t *testing.T) {
	other := func(w Word) Word {
		if w == "db.host" {
			return "db-edge.host"
		}
		return w
	}
	for text, want := range map[string]string{
		"{{.db.host}}:{{ .db.port }}":    "{{ .db-edge.host }}:{{ .db.port }}",
		"{{ .db.host | urlquery }} {{ x": "{{ .db-edge.host | urlquery }} {{ x",
	} {
		if got := Rename(text, other); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
