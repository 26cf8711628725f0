// Package cell has what is to be explained, and what detectors of several rooms ask about it. A Cell is a
// presenter at a validator with a credential, and the stretch of time in which it had no answer, or a bad
// one. A detector is a function of it that returns an Explanation, and whether it matches.
package cell
