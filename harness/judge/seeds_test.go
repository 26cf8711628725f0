//go:build !race

package judge_test

// seeds is how many ages of caches, polls and sessions a rehearsal is run with.
const seeds = 20
