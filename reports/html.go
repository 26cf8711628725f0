package reports

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"unicode"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plaintext"
	"github.com/rehearse-dev/rehearse/reports/chart"
)

var (
	//go:embed report.html.tmpl
	htmlSource string
	//go:embed report.css
	htmlStyle string
)

var htmlTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"facts": Facts, "repeats": Repeats, "id": anchor, "tone": tone,
}).Parse(htmlSource))

// htmlPage is what the template shows.
type htmlPage struct {
	*Model
	Style             template.CSS
	Clock             Clock
	Outcome           judge.Outcome
	Badge, Headline   string
	Summary, Header   []Fact
	Remedies          []Remedy
	MoreRemedies      int
	Untold            []Fact
	Findings          []judge.Finding
	BeforeNote        string
	Comparison, Whole chartFigure
	Pairs             []pairCard
	Rest              table // of the pairs that have no card; no rows: all have
	Phases, Cells     table
	Tables            []table
	Again             []Command
	Written           string
}

// chartFigure is a chart with its figures. SVG is empty where there is nothing to draw.
type chartFigure struct {
	SVG         template.HTML
	Description string
	Figures     table
}

// pairCard is one client and service.
type pairCard struct {
	ID       string
	Name     string
	Tone     string // as tone has them
	Says     string
	Contrast table
	Chart    chartFigure
}

// WriteHTML writes a report as one self-contained HTML file: without scripts, without network. It opens
// with the answer, follows the reader's light or dark setting, and prints.
func WriteHTML(w io.Writer, m *Model) error {
	page, err := pageOf(m)
	if err != nil {
		return fmt.Errorf("write html: %w", err)
	}
	// The template escapes markup, but not characters that change the direction of text.
	if err := htmlTemplate.Execute(plaintext.Writer(w), page); err != nil {
		return fmt.Errorf("write html: %w", err)
	}
	return nil
}

func pageOf(m *Model) (*htmlPage, error) {
	badge, headline, _ := strings.Cut(Headline(m.Verdict), ": ")
	p := &htmlPage{
		Model: m, Clock: m.clock(), Style: template.CSS(htmlStyle + pointing()), Outcome: m.Verdict.Verdict, Badge: badge, Headline: capital(headline),
		Summary: summary(m), Header: header(m), Untold: untold(m), Findings: ByWeight(m.Findings),
		BeforeNote: beforeNote, Phases: perPhase(m), Cells: cells(m), Tables: tables(m), Again: again(m),
	}
	p.Remedies, p.MoreRemedies = remedies(m)
	if !m.WrittenAt.IsZero() {
		p.Written = m.WrittenAt.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	all := contrasts(m)
	var err error
	if p.Comparison, err = pictureOf(comparison(all), "chart-comparison", table{}); err != nil {
		return nil, err
	}
	if m.Timeline != nil {
		whole := m.Timeline.Whole.Points
		p.Whole, err = pictureOf(overTime(m, wholeTitle, wide, worst(m, all), whole), "chart-whole", figures(m, wholeTitle, whole))
		if err != nil {
			return nil, err
		}
	}
	for i, c := range all {
		if i == maxBars {
			p.Rest = beforeAndAfter(all[i:])
			break
		}
		card, err := cardOf(m, c, i)
		if err != nil {
			return nil, err
		}
		p.Pairs = append(p.Pairs, card)
	}
	return p, nil
}

func cardOf(m *Model, c contrast, i int) (pairCard, error) {
	card := pairCard{ID: fmt.Sprintf("pair-%d", i+1), Name: c.Pair.String(), Contrast: c.table()}
	card.Says, card.Tone = c.says()
	if c.track == nil {
		return card, nil
	}
	title := "Over time: " + card.Name
	drawn := overTime(m, title, narrow, []named{{points: c.track.Points}}, c.track.Points)
	var err error
	card.Chart, err = pictureOf(drawn, "chart-"+card.ID, figures(m, title, c.track.Points))
	return card, err
}

func pictureOf(c chart.Chart, id string, figures table) (chartFigure, error) {
	if c == nil {
		return chartFigure{}, nil
	}
	svg, err := chart.SVG(c, id)
	if err != nil {
		return chartFigure{}, err
	}
	_, description := c.Words()
	return chartFigure{SVG: template.HTML(svg), Description: description, Figures: figures}, nil
}

// anchor is a title as an element's id.
func anchor(title string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return '-'
	}, title)
}

// tone is the style of a cell in a column of states; the word itself says the same.
func tone(state string) string {
	switch state {
	case "yes", string(judge.Pass):
		return "good"
	case "no", string(judge.Fail):
		return "bad"
	case "cannot tell", string(judge.Inconclusive):
		return "unsure"
	}
	return ""
}

// capital is a sentence with a large first letter.
func capital(s string) string {
	if s == "" {
		return s
	}
	r := []rune(s)
	r[0] = unicode.ToUpper(r[0])
	return string(r)
}
