// Package protocol is how a service is called that does not speak HTTP/1.1: by HTTP/2 alone,
// or by gRPC.
package protocol

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strconv"

	gateway "github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"
)

// Protocol is what a service speaks.
type Protocol string

// The protocols. HTTP/2 and gRPC are spoken over TLS where the address begins with https, and
// else without (h2c with prior knowledge, RFC 9113 §3.3).
const (
	HTTP1 Protocol = "" // HTTP/1.1
	HTTP2 Protocol = "http2"
	GRPC  Protocol = "grpc" // a unary call
)

// Names are those that a scenario can name.
var Names = []string{string(HTTP2), string(GRPC)}

// Wire is a transport that speaks the protocol, and changes t for that. Of a gRPC call it
// reads the whole answer, at most most bytes of it, and gives it the HTTP status that its
// gRPC status stands for (google.rpc.Code: UNAUTHENTICATED is 401).
func (p Protocol) Wire(t *http.Transport, most int64) http.RoundTripper {
	if p == HTTP1 {
		return t
	}
	var speaks http.Protocols
	speaks.SetHTTP2(true)
	speaks.SetUnencryptedHTTP2(true)
	t.Protocols = &speaks
	if p == GRPC {
		return unary{t, most}
	}
	return t
}

// Body is what is sent of the body of a request: of a gRPC call, whose message it has in
// base64 (RFC 4648 §4), that message as gRPC frames it. The error says where it is not base64.
func (p Protocol) Body(text string) ([]byte, error) {
	if p != GRPC {
		return []byte(text), nil
	}
	message, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("the message of a gRPC call is its bytes in base64: %w", err)
	}
	frame := make([]byte, 1, 5+len(message)) // not compressed
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(message)))
	return append(frame, message...), nil
}

// unary makes unary calls of the requests that it is given.
type unary struct {
	wire http.RoundTripper
	most int64
}

// RoundTrip calls the method that the request's path names.
func (u unary) RoundTrip(req *http.Request) (*http.Response, error) {
	call := req.Clone(req.Context())
	call.Header.Set("Content-Type", "application/grpc")
	call.Header.Set("Te", "trailers")
	resp, err := u.wire.RoundTrip(call)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	message, err := io.ReadAll(io.LimitReader(resp.Body, u.most))
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(message))
	if resp.StatusCode == http.StatusOK { // else a proxy on the way has answered
		resp.StatusCode = gateway.HTTPStatusFromCode(statusOf(resp))
		resp.Status = strconv.Itoa(resp.StatusCode) + " " + http.StatusText(resp.StatusCode)
	}
	return resp, nil
}

// statusOf is the gRPC status of an answer: in its trailers, or, where it has no message, in
// its headers. One without any is unknown, as gRPC's own clients have it.
func statusOf(resp *http.Response) codes.Code {
	for _, header := range []http.Header{resp.Trailer, resp.Header} {
		if code, err := strconv.ParseUint(header.Get("Grpc-Status"), 10, 32); err == nil {
			return codes.Code(code)
		}
	}
	return codes.Unknown
}
