//go:build race

package rules_test

// seeds is how many ages of caches, polls and sessions a rehearsal is run with;
// under the race detector each takes several times as long.
const seeds = 4
