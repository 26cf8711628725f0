package standintest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"
)

// DateOf is how far the Date of an answer is ahead.
func DateOf(t *testing.T, url string) time.Duration {
	t.Helper()
	resp, err := Client.Get(url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		t.Fatal(err)
	}
	return time.Until(date)
}

// DisturbToken is the token with which stand-ins of tests let themselves be disturbed.
const DisturbToken = "token-of-the-run"

// Disturb orders a stand-in, or takes back where value is "", and returns the status.
func Disturb(t *testing.T, base, token, kind, value string) int {
	t.Helper()
	method, path := http.MethodPost, "/rehearse/disturb"
	if value == "" {
		method, path = http.MethodDelete, "/rehearse/disturb?kind="+kind
	}
	body, err := json.Marshal(map[string]string{"kind": kind, "value": value})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, base+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// Client does not go through http.DefaultTransport.
var Client = &http.Client{Transport: &http.Transport{}}

// Call makes a request with a bearer token, if any, and returns status and body.
func Call(t *testing.T, method, url, token string, body io.Reader) (int, string) {
	t.Helper()
	return CallAs(t, method, url, token, "test", body)
}

// CallAs is Call with a User-Agent.
func CallAs(t *testing.T, method, url, token, agent string, body io.Reader) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	req.Header.Set("User-Agent", agent)
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// Served is how many requests of its own trade a stand-in has answered.
func Served(t *testing.T, url string) int64 {
	t.Helper()
	return Counted(t, url)["served"]
}

// Counted are the counters of a stand-in.
func Counted(t *testing.T, url string) map[string]int64 {
	t.Helper()
	_, body := Call(t, http.MethodGet, url+"/rehearse/status", "", nil)
	var counters map[string]int64
	if err := json.Unmarshal([]byte(body), &counters); err != nil {
		t.Fatalf("status: got %s: %v", body, err)
	}
	return counters
}
