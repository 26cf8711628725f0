// Package switching has the detectors that look at who uses the secret: emitters that use the new
// credential before the emit, go on with the old one after its revoke, use both in turns or go back, what
// outlives a window that is too short for them, and rotators that take the steps in another order.
package switching
