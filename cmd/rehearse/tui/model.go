package tui

import (
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/help"
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/rehearse-dev/rehearse/cmd/rehearse/tui/board"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
)

const (
	// frame is how often the screen is drawn anew: the counts come ten times a second.
	frame = 200 * time.Millisecond
	// noticeFor is how long a short message stays.
	noticeFor = 4 * time.Second
	// tailLines is how many lines of a log are asked for.
	tailLines = 300
)

// mode is what the screen shows below the top.
type mode int

const (
	overview mode = iota
	looking
	injecting
	undoing
	helping
)

// model is the screen. It draws what board and operator hold; what it has of its
// own is where the reader is.
type model struct {
	board    *board.Board
	operator *operator
	story    *lines
	now      func() time.Time
	replay   bool // the run is over, and only shown again
	// interrupt is what Ctrl-C does.
	interrupt func()

	width, height int
	help          help.Model
	mode          mode
	cursor        board.Pair
	scroll        int      // lines back in the story, or down in the findings
	showStory     bool     // the events are shown where the findings would be
	looked        string   // the party that is looked into
	logs          []string // the end of its log
	menu          []world.Injectable
	chosen        int
	confirm       *question
	notice        string
	noticed       time.Time
}

// question is what a key asks before it does something that cannot be taken back.
type question struct {
	text string
	yes  func() tea.Cmd
}

// Messages beside those of the terminal.
type (
	tickMsg   struct{}
	noticeMsg string
	logMsg    struct {
		service string
		lines   []string
	}
	faultsMsg []world.Injectable
)

var _ tea.Model = (*model)(nil)

// Init begins to draw.
func (m *model) Init() tea.Cmd { return tick() }

func tick() tea.Cmd { return tea.Tick(frame, func(time.Time) tea.Msg { return tickMsg{} }) }

// Update takes a message into account.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		m.help.SetWidth(max(msg.Width-2, 1))
	case tickMsg:
		return m, tea.Batch(tick(), m.refresh())
	case tea.KeyPressMsg:
		return m, m.press(msg)
	case noticeMsg:
		m.say(string(msg))
	case logMsg:
		if msg.service == m.looked {
			m.logs = msg.lines
		}
	case faultsMsg:
		if m.menu = msg; len(msg) == 0 {
			m.mode = overview
			m.say("this runtime can inject no fault that was not prepared")
		}
	}
	return m, nil
}

// refresh fetches what the board does not have.
func (m *model) refresh() tea.Cmd {
	controls, service := m.operator.hands(), m.looked
	if m.mode != looking || controls == nil {
		return nil
	}
	return func() tea.Msg { return logMsg{service, controls.Log(service, tailLines)} }
}

// say shows a short message.
func (m *model) say(text string) { m.notice, m.noticed = text, m.now() }

// press is a key.
func (m *model) press(k tea.KeyPressMsg) tea.Cmd {
	if key.Matches(k, keys.Interrupt) {
		m.interrupt()
		return tea.Quit
	}
	if q := m.confirm; q != nil {
		m.confirm = nil
		if key.Matches(k, keys.Yes) {
			return q.yes()
		}
		return nil
	}
	switch m.mode {
	case helping:
		m.mode = overview
		return nil
	case injecting, undoing:
		return m.pressInMenu(k)
	case looking:
		return m.pressInLook(k)
	}
	return m.pressInOverview(k)
}

func (m *model) pressInOverview(k tea.KeyPressMsg) tea.Cmd {
	var now situation
	m.board.Look(func(s *board.State) { now = situationOf(s) })
	switch {
	case key.Matches(k, keys.Quit):
		return m.quit(now)
	case key.Matches(k, keys.Help):
		m.mode = helping
	case key.Matches(k, keys.Up):
		m.move(now.rows, -1)
	case key.Matches(k, keys.Down):
		m.move(now.rows, 1)
	case key.Matches(k, keys.Look):
		m.lookInto(now.consumer(m.cursor))
		return m.refresh()
	case key.Matches(k, keys.PageUp):
		m.turn(now, 1)
	case key.Matches(k, keys.PageDown):
		m.turn(now, -1)
	case key.Matches(k, keys.Panels) && now.judged:
		m.showStory, m.scroll = !m.showStory, 0
	default:
		return m.act(k, now)
	}
	return nil
}

// turn turns a page: back in the story, or down in the findings.
func (m *model) turn(now situation, back int) {
	if now.judged && !m.showStory {
		back = -back // the first finding is at the top, the newest event at the bottom
	}
	m.scroll = min(max(0, m.scroll+back*max(m.height/3, 1)), keptLines)
}

// situation is what decides what a key does.
type situation struct {
	phase         history.Phase
	rows          []*board.Row
	consumers     map[board.Pair]string
	services      []string
	faults        []board.Fault // under way
	ended, judged bool
	back          bool // on the way back
	old, fresh    string
}

func situationOf(s *board.State) situation {
	now := situation{
		phase: s.Phase(), rows: s.Rows(), consumers: map[board.Pair]string{}, services: s.Services(),
		ended: s.Ended() != "", judged: s.Verdict() != nil, back: s.TurnedBack() != nil, old: s.Old(), fresh: s.New(),
	}
	for _, r := range now.rows {
		now.consumers[r.Pair] = s.Consumer(r)
	}
	for _, f := range s.Faults() {
		if f.UnderWay() {
			now.faults = append(now.faults, f)
		}
	}
	return now
}

// consumer is the party to look into for the row under the cursor.
func (n situation) consumer(cursor board.Pair) string {
	if name := n.consumers[cursor]; name != "" {
		return name
	}
	if len(n.rows) > 0 {
		return n.consumers[n.rows[0].Pair]
	}
	return n.services[0]
}

// move moves the cursor.
func (m *model) move(rows []*board.Row, by int) {
	if len(rows) == 0 {
		return
	}
	i := slices.IndexFunc(rows, func(r *board.Row) bool { return r.Pair == m.cursor })
	if i < 0 && by > 0 {
		i = -1
	}
	m.cursor = rows[min(max(i+by, 0), len(rows)-1)].Pair
}

func (m *model) lookInto(service string) { m.mode, m.looked, m.logs = looking, service, nil }

func (m *model) pressInLook(k tea.KeyPressMsg) tea.Cmd {
	var services []string
	m.board.Look(func(s *board.State) { services = s.Services() })
	i := slices.Index(services, m.looked)
	switch {
	case key.Matches(k, keys.Back, keys.Look, keys.Quit):
		m.mode = overview
		return nil
	case key.Matches(k, keys.Next, keys.Down):
		m.lookInto(services[(i+1)%len(services)])
	case key.Matches(k, keys.Previous, keys.Up):
		m.lookInto(services[(max(i, 0)+len(services)-1)%len(services)])
	default:
		var now situation
		m.board.Look(func(s *board.State) { now = situationOf(s) })
		return m.act(k, now)
	}
	return m.refresh()
}

// View draws the screen.
func (m *model) View() tea.View {
	var v tea.View
	m.board.Look(func(s *board.State) { v.SetContent(strings.Join(m.draw(s), "\n")) })
	v.AltScreen = true
	v.WindowTitle = "rehearse"
	return v
}
