package judge

// PodReport is the way of the new credential to one pod: from the API server, which
// has it in a Secret, by its kubelet, to where the pod takes it. A time that is -1 was
// not seen; SeenWhy says why not.
type PodReport struct {
	Service string `json:"service"`
	Pod     string `json:"pod"`
	// CameMS and WentMS are when it was first seen, and that it was gone, since the
	// start of the run; -1: it stayed.
	CameMS int64 `json:"came_ms"`
	WentMS int64 `json:"went_ms"`
	// SawAfterMS is from the write to the API server until its kubelet had brought the
	// file, and TookAfterMS until it first took the new credential, as it is known: it
	// is asked at the end of the lead, and may have taken it long before.
	SawAfterMS  int64  `json:"saw_after_ms"`
	SeenWhy     string `json:"seen_why,omitempty"`
	TookAfterMS int64  `json:"took_after_ms"`
	// RefusedNew is how often it refused the new credential before the revoke.
	RefusedNew int64 `json:"refused_new,omitempty"`
	// ForgotAfterMS is from the revoke until it had last taken the old credential,
	// and then refused it; -1: it never refused it.
	ForgotAfterMS int64 `json:"forgot_after_ms"`
}
