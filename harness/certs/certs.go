// Package certs makes the certificates of a rehearsal: one certificate authority, which
// lives in memory as long as the process, and what it signs for services that speak TLS.
// No key of the authority leaves the process.
package certs

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// The validity of what is made: rehearsals last for hours at most. It begins before the
// present, for services whose clock is behind, or is put behind by a fault.
const (
	validFor    = 14 * 24 * time.Hour
	validBefore = 24 * time.Hour
)

// Pair is a certificate with its key, both as PEM. It is good for a server and for a
// client (RFC 5280 §4.2.1.12: serverAuth and clientAuth).
type Pair struct {
	Certificate string `json:"certificate"`
	Key         string `json:"key"` // PKCS #8
}

// Trust is what somebody needs to call services that speak TLS: whom to trust, and what
// to show who wants a certificate of its callers.
type Trust struct {
	CA string `json:"ca"` // PEM
	Pair
	Serve bool `json:"serve,omitempty"` // it speaks TLS itself where it is called, with the pair
}

// Server is the configuration of a server that shows the pair, and wants no certificate
// of its callers.
func (t Trust) Server() (*tls.Config, error) {
	own, err := tls.X509KeyPair([]byte(t.Certificate), []byte(t.Key))
	if err != nil {
		return nil, fmt.Errorf("read the certificate of a server: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12}, nil
}

// Config is a client's configuration of TLS: it trusts what the system does, and the
// authority.
func (t Trust) Config() (*tls.Config, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // a system without any
	}
	if !roots.AppendCertsFromPEM([]byte(t.CA)) {
		return nil, fmt.Errorf("trust an authority: its certificate cannot be read")
	}
	config := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	if t.Certificate != "" {
		own, err := tls.X509KeyPair([]byte(t.Certificate), []byte(t.Key))
		if err != nil {
			return nil, fmt.Errorf("read the certificate of a client: %w", err)
		}
		config.Certificates = []tls.Certificate{own}
	}
	return config, nil
}

// authority signs.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	trust       Trust
	client      *tls.Config
}

// run is the authority of this process, made when it is first needed.
var run = sync.OnceValues(newAuthority)

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a certificate authority: %w", err)
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "rehearse " + rand.Text()[:8]},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	a := &authority{certificate: template, key: key}
	der, err := a.sign(template, key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate authority: %w", err)
	}
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		return nil, fmt.Errorf("make a certificate authority: %w", err)
	}
	own, err := a.issue("rehearse")
	if err != nil {
		return nil, err
	}
	a.trust = Trust{CA: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), Pair: own}
	a.client, err = a.trust.Config()
	return a, err
}

// sign signs a certificate for a key.
func (a *authority) sign(template *x509.Certificate, key *ecdsa.PrivateKey) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)) // RFC 5280 §4.1.2.2: positive, at most 20 octets
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	template.NotBefore, template.NotAfter = time.Now().Add(-validBefore), time.Now().Add(validFor)
	return x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
}

// issue makes a certificate for a service, by its names: as others call it, and as it is
// called on this machine.
func (a *authority) issue(names ...string) (Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, err
	}
	der, err := a.sign(&x509.Certificate{
		Subject:     pkix.Name{CommonName: names[0]},
		DNSNames:    append(slices.Clone(names), "localhost"),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, key)
	if err != nil {
		return Pair{}, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Pair{}, err
	}
	return Pair{
		Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		Key:         string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
	}, nil
}

// Issue makes a certificate that is valid for the names, for localhost and for the
// loopback addresses.
func Issue(names ...string) (Pair, error) {
	a, err := run()
	if err != nil {
		return Pair{}, err
	}
	pair, err := a.issue(names...)
	if err != nil {
		return Pair{}, fmt.Errorf("make a certificate for %s: %w", names[0], err)
	}
	return pair, nil
}

// Given is what is given to who calls services of the rehearsal by TLS.
func Given() (Trust, error) {
	a, err := run()
	if err != nil {
		return Trust{}, err
	}
	return a.trust, nil
}

// adopted is how this process calls by TLS, where it was given that; nil: by the
// authority of its own.
var adopted atomic.Pointer[tls.Config]

// Adopt has this process call by what it was given in place of an authority of its own,
// and http.DefaultTransport too; for a process that another one started, before it calls.
func Adopt(given Trust) error {
	config, err := given.Config()
	if err != nil {
		return err
	}
	adopted.Store(config)
	http.DefaultTransport.(*http.Transport).TLSClientConfig = config
	return nil
}

// calls is how this process calls by TLS.
func calls() (*tls.Config, error) {
	if config := adopted.Load(); config != nil {
		return config, nil
	}
	a, err := run()
	if err != nil {
		return nil, err
	}
	return a.client, nil
}

// Trusting has a transport call services of the rehearsal by TLS, beside those that the
// system trusts, and returns it. It must not have been used before.
func Trusting(t *http.Transport) *http.Transport {
	connect := t.DialContext
	if connect == nil {
		connect = (&net.Dialer{}).DialContext
	}
	t.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		client, err := calls()
		if err != nil {
			return nil, err
		}
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		plain, err := connect(ctx, network, address)
		if err != nil {
			return nil, err
		}
		config := client.Clone()
		config.ServerName = host
		if t.Protocols != nil && t.Protocols.HTTP2() { // which is agreed on in the handshake (RFC 9113 §3.2)
			config.NextProtos = []string{"h2"}
		}
		secured := tls.Client(plain, config)
		if err := secured.HandshakeContext(ctx); err != nil {
			_ = plain.Close() // the handshake has failed already
			return nil, err
		}
		return secured, nil
	}
	return t
}
