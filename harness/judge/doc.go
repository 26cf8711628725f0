// Package judge holds what a verdict is made of: outcomes, findings, causes and the
// figures beside them, as result.json has them. How one is reached lies below it, each
// package above the next:
//
//	rules     each rule holds the evidence against one thing that must be so
//	cause     each detector finds one mechanism behind what a party suffered
//	evidence  one history, sorted into what both ask for
//
// All of it is a pure function of a history and the plan's limits: it never sees the
// scenario's name, its expect or its list of faults, and finds causes in what happened.
package judge
