// Package authority has the detectors of refusals where acceptance is decided: a database, a broker, a
// provider. It has no cache and takes what the steps tell it to take, so that a step was without effect,
// its account is locked, it has one place, somebody put the old value back, or the pooler before it is
// poisoned.
package authority
