package tui

import (
	"fmt"
	"runtime/debug"

	tea "charm.land/bubbletea/v2"
)

// guard keeps a defect of the screen from ending more than the screen: what
// panics in a model or in one of its commands is told to broke, which ends the
// program in order. Bubble Tea's own way out of a panic gives up the keyboard
// while it is still being read.
type guard struct {
	model tea.Model
	broke func(error)
}

var _ tea.Model = guard{}

func (g guard) recovered() {
	if r := recover(); r != nil {
		g.broke(fmt.Errorf("panic: %v\n%s", r, debug.Stack()))
	}
}

// Init is that of the model.
func (g guard) Init() tea.Cmd {
	defer g.recovered()
	return g.command(g.model.Init())
}

// Update is that of the model.
func (g guard) Update(msg tea.Msg) (model tea.Model, command tea.Cmd) {
	model = g // also after a panic
	defer g.recovered()
	next, command := g.model.Update(msg)
	return guard{next, g.broke}, g.command(command)
}

// View is that of the model; after a panic there is nothing to see.
func (g guard) View() tea.View {
	defer g.recovered()
	return g.model.View()
}

// command is a command that tells of a panic, and so are those that it stands for.
func (g guard) command(c tea.Cmd) tea.Cmd {
	if c == nil {
		return nil
	}
	return func() tea.Msg {
		defer g.recovered()
		msg := c()
		if batch, ok := msg.(tea.BatchMsg); ok {
			for i := range batch {
				batch[i] = g.command(batch[i])
			}
		}
		return msg
	}
}
