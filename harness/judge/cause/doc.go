// Package cause finds out why a party suffered. A Cell is what is to be explained: a presenter at a
// validator with a credential, and the stretch of time in which it had no answer, or a bad one.
// Detectors are asked in order, the most specific first, and the first that matches tells the
// mechanism, the party to look at, and the cure in figures. Each detector is one file, named after its
// mechanism, and one line in detectors.
package cause
