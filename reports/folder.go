package reports

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/rehearse-dev/rehearse/reports/chart"
)

// HTMLFile is the name of the report for a browser in a run folder.
const HTMLFile = "report.html"

// formats are the files of a run folder that are made from a model. A new format is a new line.
var formats = []struct {
	name  string
	write func(io.Writer, *Model) error
}{
	{"result.json", WriteJSON},
	{"report.md", WriteMarkdown},
	{HTMLFile, WriteHTML},
	{"junit.xml", writeJUnit},
}

// WriteFolder writes every format into an existing run folder. A file that cannot be written stays as
// it was; the others are written all the same, and the error names the failed ones.
func WriteFolder(dir string, m *Model) error {
	var errs []error
	for _, f := range formats {
		if err := writeFile(dir, f.name, func(w io.Writer) error { return f.write(w, m) }); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Written are the names of the files that WriteFolder wrote into a run folder.
func Written(dir string) []string {
	names := []string{}
	for _, f := range formats {
		if info, err := os.Stat(filepath.Join(dir, f.name)); err == nil && info.Mode().IsRegular() {
			names = append(names, f.name)
		}
	}
	return names
}

// pictures are the charts of a report that exist as PNG too.
var pictures = []struct {
	name string
	draw func(*Model) chart.Chart
}{
	{"before-after.png", func(m *Model) chart.Chart { return comparison(contrasts(m)) }},
	{"over-time.png", func(m *Model) chart.Chart {
		if m.Timeline == nil {
			return nil
		}
		return overTime(m, wholeTitle, wide, worst(m, contrasts(m)), m.Timeline.Whole.Points)
	}},
}

// WritePictures writes the charts of a report into a run folder as PNG, and returns their file names. A
// chart with nothing to show is left out.
func WritePictures(dir string, m *Model) ([]string, error) {
	var names []string
	of := fmt.Sprintf("%s · %s · %s", Headline(m.Verdict), m.Scenario, m.StartedAt.UTC().Format("2006-01-02 15:04 UTC"))
	for _, p := range pictures {
		drawn := p.draw(m)
		if drawn == nil {
			continue
		}
		if err := writeFile(dir, p.name, func(w io.Writer) error { return chart.WritePNG(w, drawn, of) }); err != nil {
			return names, err
		}
		names = append(names, p.name)
	}
	return names, nil
}

// writeFile writes a temporary file and moves it into place when it is complete. Only its owner may
// read it.
func writeFile(dir, name string, write func(io.Writer) error) error {
	temp, err := os.CreateTemp(dir, "."+name+".*")
	if err != nil {
		return fmt.Errorf("write report %s: %w", name, err)
	}
	err = errors.Join(write(temp), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write report %s: %w", name, err), os.Remove(temp.Name()))
	}
	return nil
}
