package lint

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/rehearse-dev/rehearse/harness/plaintext"
)

// WriteText writes a line for each finding, in the form that editors and
// compilers share, with what to write instead below it.
func WriteText(w io.Writer, findings []Finding) error {
	for _, f := range findings {
		line := plaintext.Line(fmt.Sprintf("%s: %s: %s [%s]", f.Position, f.Level, f.Message, f.RuleID))
		if _, err := fmt.Fprintf(w, "%s\n    %s\n", line, plaintext.Line(f.Fix)); err != nil {
			return fmt.Errorf("write findings: %w", err)
		}
	}
	return nil
}

// WriteJSON writes the findings as an array of objects.
func WriteJSON(w io.Writer, findings []Finding) error {
	if findings == nil {
		findings = []Finding{}
	}
	e := json.NewEncoder(plaintext.JSON(w))
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(findings); err != nil {
		return fmt.Errorf("write findings: %w", err)
	}
	return nil
}

// home is where SARIF says that the tool is described.
const home = "https://github.com/rehearse-dev/rehearse"

// WriteSARIF writes the findings as SARIF 2.1.0, which code review systems
// show at their lines. Files are named relative to where the command ran.
func WriteSARIF(w io.Writer, findings []Finding, version string) error {
	run := sarif.NewRunWithInformationURI("rehearse", home)
	run.Tool.Driver.WithVersion(version)
	for _, r := range Rules() {
		run.AddRule(r.ID).WithDescription(r.Short).WithMarkdownHelp(r.Why)
	}
	for _, f := range findings {
		at := sarif.NewPhysicalLocation().
			WithArtifactLocation(sarif.NewSimpleArtifactLocation(filepath.ToSlash(f.File))).
			WithRegion(sarif.NewRegion().WithStartLine(max(f.Line, 1)).WithStartColumn(max(f.Column, 1)))
		run.CreateResultForRule(f.RuleID).
			WithLevel(string(f.Level)).
			WithMessage(sarif.NewTextMessage(plaintext.Unlinked(f.Message + ". " + f.Fix))).
			AddLocation(sarif.NewLocationWithPhysicalLocation(at))
	}
	report := sarif.NewReport().AddRun(run)
	if err := report.PrettyWrite(plaintext.JSON(w)); err != nil {
		return fmt.Errorf("write findings: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}
