package contract

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestGuardAsksForTheToken(t *testing.T) {
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	for _, tt := range []struct {
		name, token, path, shown string
		want                     int
	}{
		{"with it", "t", QuiescePath, "Bearer t", http.StatusNoContent},
		{"in small letters", "t", QuiescePath, "bearer t", http.StatusNoContent},
		{"without it", "t", QuiescePath, "", http.StatusUnauthorized},
		{"another", "t", QuiescePath, "Bearer T", http.StatusUnauthorized},
		{"more than it", "t", QuiescePath, "Bearer tt", http.StatusUnauthorized},
		{"an empty one", "t", QuiescePath, "Bearer ", http.StatusUnauthorized},
		{"below a path", "t", EventsPath + "orders", "", http.StatusUnauthorized},
		{"the path itself", "t", "/events", "", http.StatusUnauthorized},
		{"not below it", "t", "/eventsource", "", http.StatusNoContent},
		{"by another way", "t", "/x/../rehearse//quiesce/", "", http.StatusUnauthorized},
		{"another path", "t", HealthPath, "", http.StatusNoContent},
		{"nobody has one", "", QuiescePath, "", http.StatusNoContent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, tt.path, nil)
			if tt.shown != "" {
				r.Header.Set("Authorization", tt.shown)
			}
			w := httptest.NewRecorder()
			Guard(tt.token, ok, QuiescePath, EventsPath).ServeHTTP(w, r)
			if w.Code != tt.want {
				t.Errorf("%s with %q: got %d, want %d", tt.path, tt.shown, w.Code, tt.want)
			}
		})
	}
}
