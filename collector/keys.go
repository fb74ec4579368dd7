package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/musterhq/muster/internal/pki"
	"github.com/musterhq/muster/internal/store"
	"github.com/musterhq/muster/internal/store/agents"
)

// openAuthority returns the agents' CA. The database holds it, encrypted with the master key, so
// that all collectors of a database share one CA.
func openAuthority(ctx context.Context, s *store.Store, flags serveFlags) (*pki.Authority, error) {
	file := flags.MasterKeyFile
	if file == "" {
		file = filepath.Join(flags.DataDir, "master.key")
	}
	var made bool
	sealed, err := s.Authority(ctx, func() (agents.Authority, error) {
		made = true
		key, err := masterKey(file, true)
		if err != nil {
			return agents.Authority{}, err
		}
		return newAuthority(key)
	})
	if err != nil {
		return nil, err
	}
	key, err := masterKey(file, made)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the CA in the database is encrypted with a master key, but %s does not exist: "+
			"copy it from the collector that created the database, or set --master-key-file", file)
	}
	if err != nil {
		return nil, err
	}
	authority, err := pki.OpenAuthority(sealed.Certificate, sealed.SealedKey, key)
	if err != nil {
		return nil, fmt.Errorf("open certificate authority with %s: %w", file, err)
	}
	return authority, nil
}

func newAuthority(key [32]byte) (agents.Authority, error) {
	authority, err := pki.NewAuthority(time.Now())
	if err != nil {
		return agents.Authority{}, err
	}
	sealed, err := authority.Seal(key)
	if err != nil {
		return agents.Authority{}, err
	}
	return agents.Authority{Certificate: authority.Certificate(), SealedKey: sealed}, nil
}

// masterKey reads the master key. If there is none and create is true, it creates one.
func masterKey(file string, create bool) (key [32]byte, err error) {
	text, err := os.ReadFile(file) //nolint:gosec // the operator's choice
	if errors.Is(err, fs.ErrNotExist) && create {
		_, _ = rand.Read(key[:]) // never fails, see crypto/rand
		return key, writeSecret(file, hex.EncodeToString(key[:]))
	}
	if err != nil {
		return key, fmt.Errorf("read master key: %w", err)
	}
	if err := checkSecret(file); err != nil {
		return key, err
	}
	raw, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(raw) != len(key) {
		return key, fmt.Errorf("master key %s: want %d bytes as hexadecimal text", file, len(key))
	}
	return [32]byte(raw), nil
}

// checkSecret returns an error if other users of the machine can read a secret.
func checkSecret(file string) error {
	info, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("read secret: %w", err)
	}
	if os.PathSeparator == '/' && info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("other users can read %s (mode %v); run chmod 600 on it", file, info.Mode().Perm())
	}
	return nil
}

// writeSecret writes a file atomically, readable by its owner alone.
func writeSecret(file, text string) error {
	temporary, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("write secret: %w", err)
	}
	_, err = temporary.WriteString(text + "\n")
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), file)
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
		return fmt.Errorf("write secret: %w", err)
	}
	return nil
}

// adminToken returns the file with the admin's API token. If the file has no valid token,
// adminToken writes a new one.
func adminToken(ctx context.Context, s *store.Store, dir string) (string, error) {
	file := filepath.Join(dir, "admin.token")
	text, err := os.ReadFile(file) //nolint:gosec // ours
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read admin token: %w", err)
	}
	if token := strings.TrimSpace(string(text)); token != "" {
		_, works, err := s.APIToken(ctx, pki.HashToken(token))
		if err != nil {
			return "", err
		}
		if works {
			return file, nil
		}
	}
	token := pki.NewToken(pki.APIPrefix)
	if _, err := s.CreateAPIToken(ctx, "admin", pki.HashToken(token)); err != nil {
		return "", err
	}
	return file, writeSecret(file, token)
}
