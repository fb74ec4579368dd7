package state

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// ErrNotEnrolled reports that the agent has no identity.
var ErrNotEnrolled = errors.New("this machine is not enrolled: run muster-agent enroll")

// Identity is the agent's key and certificate, and the authorities it trusts.
type Identity struct {
	AgentID     string
	Collector   string // host:port
	Pin         string // of the authority that the agent enrolled with
	Key         *ecdsa.PrivateKey
	Certificate *x509.Certificate
	Authorities [][]byte  // DER
	Received    time.Time // when the certificate arrived, by this machine's clock
}

// TLS returns the client certificate in the form that crypto/tls needs.
func (i Identity) TLS() *tls.Certificate {
	return &tls.Certificate{Certificate: [][]byte{i.Certificate.Raw}, PrivateKey: i.Key, Leaf: i.Certificate}
}

// identityRecord is the form of an Identity in the file. []byte is base64 there.
type identityRecord struct {
	AgentID     string    `json:"agent_id"`
	Collector   string    `json:"collector"`
	Pin         string    `json:"ca_pin"`
	Key         []byte    `json:"private_key"` // PKCS #8
	Certificate []byte    `json:"certificate"`
	Authorities [][]byte  `json:"authorities"`
	Received    time.Time `json:"received"`
}

// envelope adds a checksum that detects a damaged record.
type envelope struct {
	Identity json.RawMessage `json:"identity"`
	Checksum uint32          `json:"crc32c"` // of the bytes of Identity
}

// Identity returns the agent's identity, or ErrNotEnrolled.
func (s *State) Identity() (Identity, error) { return ReadIdentity(s.dir) }

// ReadIdentity reads the identity in a state directory. It needs no lock.
func ReadIdentity(dir string) (Identity, error) {
	data, err := os.ReadFile(filepath.Join(dir, identityFile)) //nolint:gosec // the state directory
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Identity{}, ErrNotEnrolled
	case err != nil:
		return Identity{}, fmt.Errorf("read identity: %w", err)
	}
	identity, err := decodeIdentity(data)
	if err != nil {
		name := filepath.Join(dir, identityFile)
		return Identity{}, fmt.Errorf("%s is damaged (%w): enroll this machine again", name, err)
	}
	return identity, nil
}

// SetIdentity replaces the agent's identity.
func (s *State) SetIdentity(identity Identity) error {
	data, err := encodeIdentity(identity)
	if err != nil {
		return fmt.Errorf("encode identity: %w", err)
	}
	if err := replaceFile(filepath.Join(s.dir, identityFile), data); err != nil {
		return fmt.Errorf("write identity: %w", err)
	}
	return nil
}

func encodeIdentity(i Identity) ([]byte, error) {
	key, err := x509.MarshalPKCS8PrivateKey(i.Key)
	if err != nil {
		return nil, err
	}
	record, err := json.Marshal(identityRecord{ //nolint:gosec // keeping the key is what the file is for
		AgentID: i.AgentID, Collector: i.Collector, Pin: i.Pin, Key: key,
		Certificate: i.Certificate.Raw, Authorities: i.Authorities, Received: i.Received.UTC(),
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(envelope{Identity: record, Checksum: crc32.Checksum(record, castagnoli)})
}

func decodeIdentity(data []byte) (Identity, error) {
	var sealed envelope
	if err := json.Unmarshal(data, &sealed); err != nil {
		return Identity{}, err
	}
	if crc32.Checksum(sealed.Identity, castagnoli) != sealed.Checksum {
		return Identity{}, errors.New("wrong checksum")
	}
	var record identityRecord
	if err := json.Unmarshal(sealed.Identity, &record); err != nil {
		return Identity{}, err
	}
	identity := Identity{
		AgentID: record.AgentID, Collector: record.Collector, Pin: record.Pin,
		Authorities: record.Authorities, Received: record.Received,
	}
	var err error
	if identity.Certificate, err = x509.ParseCertificate(record.Certificate); err != nil {
		return Identity{}, err
	}
	identity.Key, err = parseKey(record.Key, identity.Certificate)
	return identity, err
}

func parseKey(der []byte, certificate *x509.Certificate) (*ecdsa.PrivateKey, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || !key.PublicKey.Equal(certificate.PublicKey) {
		return nil, errors.New("the private key does not match the certificate")
	}
	return key, nil
}
