// Package learning has the detectors of validators that learned the new credential late or never: the lead
// was too short for their cache or one on the way, the emitter published late, nobody answered their fetch,
// they may not fetch again yet, or some of their replicas are behind.
package learning
