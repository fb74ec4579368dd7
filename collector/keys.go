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

// openAuthority gives the agents' CA. It rests in the database, sealed under the master key, so that every
// collector of the database is the same authority.
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
		return nil, fmt.Errorf("the database's certificate authority is sealed with a master key that is not in %s: "+
			"copy it from the collector that made the database, or name it with --master-key-file", file)
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

// masterKey reads the master key, making one where there is none if it may.
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

// checkSecret refuses a secret that others on the machine can read.
func checkSecret(file string) error {
	info, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("read secret: %w", err)
	}
	if os.PathSeparator == '/' && info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s can be read by others (mode %v): chmod 600 it", file, info.Mode().Perm())
	}
	return nil
}

// writeSecret writes a file that is there whole or not at all, and that only its owner can read.
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

// adminToken makes sure that the file with the admin's API token holds one that works, and gives its name.
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
