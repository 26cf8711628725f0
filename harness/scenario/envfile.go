package scenario

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/rehearse-dev/rehearse/harness/source"
)

// mostEnvFile bounds a file of variables, in bytes.
const mostEnvFile = 1 << 20

// MaxToken bounds a file with a token, in bytes: no server takes a header as long.
const MaxToken = 1 << 20

// readFiles reads the files of variables that services name, below what their
// environment says, and looks whether what they copy, what they are built of and
// what clients present is there.
func (l *loader) readFiles(s *Scenario, document *source.Node) {
	for _, name := range slices.Sorted(maps.Keys(s.Services)) {
		service, at := s.Services[name], source.Join("services", name)
		environment := map[string]string{}
		for i, file := range service.EnvFile {
			key := fmt.Sprintf("%s.env_file[%d]", at, i)
			n, _ := document.At(key)
			if relativeFile(file) != nil {
				continue // which is reported
			}
			variables, err := l.variables(n.File, file)
			if err != nil {
				l.report(n, key, "a line is NAME=value, NAME='value' or NAME=\"value\", or begins with #", "%s: %v", file, err)
			}
			maps.Copy(environment, variables)
		}
		if len(environment) > 0 {
			maps.Copy(environment, service.Environment)
			service.Environment = environment
			s.Services[name] = service
		}
		for i, text := range service.Volumes {
			key := fmt.Sprintf("%s.volumes[%d]", at, i)
			n, _ := document.At(key)
			v, err := ParseVolume(text)
			if err != nil {
				continue // which is reported
			}
			if folder, err := l.folder(n.File, path.Dir(v.From)); err != nil {
				l.report(n, key, "", "%v", err)
			} else if _, err := fs.Stat(folder, path.Base(v.From)); err != nil {
				l.report(n, key, "a file or a folder, relative to this file", "there is no %s", v.From)
			}
		}
		if b := service.Build; b != nil && b.Context != "" && !path.IsAbs(b.Context) {
			l.buildable(document, at+".build", *b)
		}
	}
	for i, client := range s.Load {
		if client.Token == nil {
			continue
		}
		if file := client.Token.File; file != "" && relativeFile(file) == nil {
			key := fmt.Sprintf("load[%d].token.file", i)
			n, _ := document.At(key)
			if folder, err := l.folder(n.File, path.Dir(file)); err != nil {
				l.report(n, key, "", "%v", err)
			} else if _, err := source.ReadIn(folder, path.Base(file), MaxToken); err != nil {
				l.report(n, key, "a file with the token, relative to this file", "%v", err)
			}
		}
	}
}

// buildable looks whether there is what an image is built of.
func (l *loader) buildable(document *source.Node, at string, b Build) {
	n, _ := document.At(at + ".context")
	folder, err := l.folder(n.File, b.Context)
	if err == nil {
		_, err = fs.ReadDir(folder, ".")
	}
	if err != nil {
		l.report(n, at+".context", "a folder, relative to this file", "there is no folder %s", b.Context)
		return
	}
	dockerfile := cmp.Or(b.Dockerfile, "Dockerfile")
	file, err := source.OpenIn(folder, dockerfile)
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		n, _ := document.At(at + ".dockerfile")
		l.report(n, at+".dockerfile", "a file of the folder "+b.Context, "%v", err)
	}
}

// variables are those of a file, relative to the file that names it.
func (l *loader) variables(namedBy, file string) (map[string]string, error) {
	folder, err := l.folder(namedBy, path.Dir(file))
	if err != nil {
		return nil, err
	}
	data, err := source.ReadIn(folder, path.Base(file), mostEnvFile)
	if err != nil {
		return nil, err
	}
	return parseVariables(string(data))
}

// parseVariables reads the lines of a file of variables as Compose does (its
// documentation, "Env-file syntax"), but fills nothing in. The error has the number of
// a line and quotes nothing of it.
func parseVariables(text string) (map[string]string, error) {
	variables := map[string]string{}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, said := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		name = strings.TrimSpace(name)
		if !said {
			return nil, fmt.Errorf("line %d has no =: a variable of the shell is not taken over", i+1)
		}
		if name == "" || strings.ContainsAny(name, " \t\"'\x00") {
			return nil, fmt.Errorf("line %d has no name of a variable before its =", i+1)
		}
		value, err := unquoted(strings.TrimSpace(value))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		variables[name] = value
	}
	return variables, nil
}

// unquoted is a value as a file of variables writes it: as it is in single quotes, with
// \n, \r, \t and \ before any other character in double ones, and else until a # after
// a space.
func unquoted(value string) (string, error) {
	if value == "" {
		return "", nil
	}
	quote := value[0]
	if quote != '\'' && quote != '"' {
		if at := strings.Index(value, " #"); at >= 0 {
			value = strings.TrimSpace(value[:at])
		}
		return value, noInterpolation(value)
	}
	var out, filled strings.Builder
	for i := 1; i < len(value); i++ {
		switch b := value[i]; {
		case b == quote:
			if rest := strings.TrimSpace(value[i+1:]); rest != "" && !strings.HasPrefix(rest, "#") {
				return "", fmt.Errorf("something follows the closing %c", quote)
			}
			if quote == '\'' {
				return out.String(), nil
			}
			return out.String(), noInterpolation(filled.String())
		case b == '\\' && quote == '"' && i+1 < len(value):
			i++
			switch value[i] {
			case 'n':
				out.WriteByte('\n')
			case 'r':
				out.WriteByte('\r')
			case 't':
				out.WriteByte('\t')
			default:
				out.WriteByte(value[i])
			}
		default:
			out.WriteByte(b)
			filled.WriteByte(b)
		}
	}
	return "", fmt.Errorf("the closing %c is missing; a value of several lines is one line with \\n", quote)
}

// noInterpolation refuses what Compose would fill in, which nobody does here.
func noInterpolation(value string) error {
	if strings.Contains(value, "${") {
		return fmt.Errorf("has ${…}, which is not filled in: say that variable in environment")
	}
	return nil
}

// relativeFile refuses what is no path of a file relative to the one that says it.
func relativeFile(file string) error {
	if file == "" || path.IsAbs(file) || path.Base(file) == ".." || path.Base(file) == "." {
		return fmt.Errorf("%q is not the path of a file relative to this one", file)
	}
	return nil
}

// Volume is one of Service.Volumes.
type Volume struct {
	From string // a file or a folder, relative to the file that says it
	To   string // where it is in the container
}

// ParseVolume reads one as Compose writes it: ./conf:/etc/shop, with or without :ro.
func ParseVolume(text string) (Volume, error) {
	parts := strings.Split(text, ":")
	switch {
	case len(parts) < 2 || len(parts) > 3:
		return Volume{}, fmt.Errorf("%q is not FROM:TO", text)
	case len(parts) == 3 && parts[2] != "ro" && parts[2] != "rw":
		return Volume{}, fmt.Errorf("%q is neither ro nor rw", parts[2])
	case path.IsAbs(parts[0]) || strings.HasPrefix(parts[0], "~"):
		return Volume{}, fmt.Errorf("%q is not a path relative to this file", parts[0])
	case !strings.HasPrefix(parts[0], "./") && !strings.HasPrefix(parts[0], "../"):
		return Volume{}, fmt.Errorf("%q is no path: it begins with ./ or ../, and there are no named volumes", parts[0])
	case !path.IsAbs(parts[1]) || path.Clean(parts[1]) == "/" || strings.ContainsFunc(parts[1], unicode.IsControl):
		return Volume{}, fmt.Errorf("%q is not an absolute path of the image", parts[1])
	}
	return Volume{From: path.Clean(parts[0]), To: path.Clean(parts[1])}, nil
}
