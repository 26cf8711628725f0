// Package rules says what a history means: Judge holds it against each rule in turn. A
// rule is one file and one line in rules. It comes to pass, fail, inconclusive or skipped,
// with its reason in a sentence and, where it is broken, a finding that names who broke it.
package rules
