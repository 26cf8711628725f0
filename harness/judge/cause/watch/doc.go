// Package watch has the detectors of what shows after the revoke: what kept the old credential valid, why
// the new one is not taken, and validators whose answers prove nothing because they take anything.
package watch
