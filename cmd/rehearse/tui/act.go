package tui

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// act does what a key of the operator does; what it cannot do now, it says.
func (m *model) act(k tea.KeyPressMsg, now situation) tea.Cmd {
	operator := m.operator.state()
	switch {
	case operator.says != "" && key.Matches(k, keys.No):
		m.operator.command(world.Wait)
	case !key.Matches(k, keys.GoOn, keys.Revoke, keys.Hold, keys.RollBack, keys.Abort, keys.Inject, keys.Undo):
	case m.replay:
		m.say("this is a simulation shown again: it is over, and nothing of it can be changed")
	case now.ended:
		m.say("the rotation is over")
	case !operator.ready:
		m.say("the services are not up yet")
	case key.Matches(k, keys.GoOn) && operator.asked == history.Revoke:
		m.say("the revoke cannot be taken back everywhere: y approves it")
	case key.Matches(k, keys.GoOn, keys.Revoke):
		if key.Matches(k, keys.Revoke) != (operator.asked == history.Revoke) || !m.operator.goOn() {
			m.say("nothing waits for it: h holds before the next phase")
		}
	case key.Matches(k, keys.Hold):
		return m.toggleHold(!operator.hold)
	case key.Matches(k, keys.RollBack):
		m.askToRollBack(now)
	case key.Matches(k, keys.Abort):
		m.confirm = &question{"abort: faults are undone, nothing is rolled back?", func() tea.Cmd {
			m.operator.command(world.Abort)
			return nil
		}}
	case key.Matches(k, keys.Inject):
		return m.offerFaults()
	case key.Matches(k, keys.Undo):
		return m.offerUndo(now)
	}
	return nil
}

func (m *model) toggleHold(hold bool) tea.Cmd {
	m.operator.setHold(hold)
	did := "lets phases begin by themselves"
	if hold {
		did = "holds before each phase from now on"
	}
	controls := m.operator.hands()
	return func() tea.Msg {
		controls.Note(did)
		return noticeMsg(did)
	}
}

func (m *model) askToRollBack(now situation) {
	if now.back {
		m.say("it is being rolled back already")
		return
	}
	text := "roll back: nothing was changed yet, so the run ends here?"
	if now.fresh != "" {
		text = fmt.Sprintf("roll back: %s comes back everywhere, %s is withdrawn?", now.old, now.fresh)
	}
	m.confirm = &question{text, func() tea.Cmd {
		m.operator.command(world.RollBack)
		return nil
	}}
}

// offerFaults opens the menu of faults that can be injected now.
func (m *model) offerFaults() tea.Cmd {
	m.mode, m.menu, m.chosen = injecting, nil, 0
	controls := m.operator.hands()
	return func() tea.Msg { return faultsMsg(controls.Faults()) }
}

// offerUndo undoes the one fault that is under way, or lets one be chosen.
func (m *model) offerUndo(now situation) tea.Cmd {
	switch len(now.faults) {
	case 0:
		m.say("no fault is under way")
		return nil
	case 1:
		return m.undo(now.faults[0].Kind, now.faults[0].Target)
	}
	m.mode, m.menu, m.chosen = undoing, nil, 0
	for _, f := range now.faults {
		m.menu = append(m.menu, world.Injectable{Kind: f.Kind, Target: f.Target})
	}
	return nil
}

func (m *model) pressInMenu(k tea.KeyPressMsg) tea.Cmd {
	switch {
	case key.Matches(k, keys.Back, keys.Quit):
		m.mode = overview
	case len(m.menu) == 0:
	case key.Matches(k, keys.Up):
		m.chosen = max(m.chosen-1, 0)
	case key.Matches(k, keys.Down):
		m.chosen = min(m.chosen+1, len(m.menu)-1)
	case key.Matches(k, keys.Choose):
		f, what := m.menu[m.chosen], m.mode
		m.mode = overview
		if what == undoing {
			return m.undo(f.Kind, f.Target)
		}
		return m.inject(f.Kind, f.Target)
	}
	return nil
}

func (m *model) inject(kind, target string) tea.Cmd {
	controls := m.operator.hands()
	return said(func() error { return controls.Inject(kind, target) }, fmt.Sprintf("%s on %s: on its way, with its evidence", kind, target))
}

func (m *model) undo(kind, target string) tea.Cmd {
	controls := m.operator.hands()
	return said(func() error { return controls.UndoFault(kind, target) }, fmt.Sprintf("%s on %s: being undone", kind, target))
}

// said does something aside, and says how it went.
func said(do func() error, done string) tea.Cmd {
	return func() tea.Msg {
		if err := do(); err != nil {
			return noticeMsg(strings.TrimSuffix(err.Error(), ": "+world.ErrNotNow.Error()))
		}
		return noticeMsg(done)
	}
}

// quit leaves the screen: at once where all is told, else after a question.
func (m *model) quit(now situation) tea.Cmd {
	switch {
	case now.judged || m.replay:
		return tea.Quit
	case m.operator.holds() && !now.ended:
		m.say("on hold a person is needed: r rolls back, a aborts, h lets the run go on by itself")
		return nil
	}
	m.confirm = &question{"leave the screen: the run goes on, told in lines?", func() tea.Cmd { return tea.Quit }}
	return nil
}
