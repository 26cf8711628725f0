// Package evidence sorts the history of a run into what rules and detectors ask for:
// when each step was done, what a party fetched, learned and was refused, which faults
// were in effect, and what failed beyond what was usual before anything was changed.
package evidence
