package tui

import "charm.land/bubbles/v2/key"

// keys are all keys of the screen. Letters are the first of what they do, so
// that the footer can be read without the help.
type keyMap struct {
	GoOn, Revoke, Hold, RollBack, Abort        key.Binding
	Inject, Undo, Look                         key.Binding
	Up, Down, Previous, Next, PageUp, PageDown key.Binding
	Yes, No, Choose, Back, Panels, Help, Quit  key.Binding
	Interrupt                                  key.Binding
}

func bind(help, does string, keys ...string) key.Binding {
	return key.NewBinding(key.WithKeys(keys...), key.WithHelp(help, does))
}

var keys = keyMap{
	GoOn:      bind("g", "go on", "g"),
	Revoke:    bind("y", "approve the revoke", "y"),
	Hold:      bind("h", "hold before the next phase", "h"),
	RollBack:  bind("r", "roll back", "r"),
	Abort:     bind("a", "abort", "a"),
	Inject:    bind("i", "inject a fault", "i"),
	Undo:      bind("u", "undo a fault", "u"),
	Look:      bind("enter", "look into", "enter"),
	Up:        bind("↑", "up", "up", "k"),
	Down:      bind("↓", "down", "down", "j"),
	Previous:  bind("←", "previous service", "left"),
	Next:      bind("→", "next service", "right"),
	PageUp:    bind("pgup", "a page up", "pgup"),
	PageDown:  bind("pgdn", "a page down", "pgdown"),
	Yes:       bind("y", "yes", "y"),
	No:        bind("n", "no", "n", "esc"),
	Choose:    bind("enter", "choose", "enter"),
	Back:      bind("esc", "back", "esc", "backspace"),
	Panels:    bind("tab", "findings or events", "tab"),
	Help:      bind("?", "help", "?", "f1"),
	Quit:      bind("q", "leave", "q"),
	Interrupt: bind("ctrl+c", "undo, clean up, end", "ctrl+c"),
}
