package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/musterhq/muster/collector/glpi"
	"github.com/musterhq/muster/internal/pki"
)

// credentials are the passwords of the GLPI-protocol endpoint. They are read again when their file
// changes, so that removing a line revokes a password at once.
type credentials struct {
	file   string
	logger *slog.Logger

	mu       sync.Mutex
	modified time.Time // of the file when it was read last, and its size
	size     int64
	list     []glpi.Credential
}

// openCredentials reads the file, and creates it with one password if it does not exist.
func openCredentials(flags serveFlags, logger *slog.Logger) (*credentials, error) {
	c := &credentials{file: flags.GLPI.TokenFile, logger: logger}
	if c.file == "" {
		c.file = filepath.Join(flags.DataDir, "glpi.token")
	}
	info, err := os.Stat(c.file)
	if errors.Is(err, fs.ErrNotExist) {
		if err = writeSecret(c.file, pki.NewToken(glpiPrefix)); err == nil {
			info, err = os.Stat(c.file)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read passwords of GLPI agents: %w", err)
	}
	if c.list, err = readCredentials(c.file); err != nil {
		return nil, err
	}
	if len(c.list) == 0 {
		return nil, fmt.Errorf("%s has no password; remove the file to create a new one", c.file)
	}
	c.modified, c.size = info.ModTime(), info.Size()
	return c, nil
}

// current returns the credentials in the file. While the file cannot be read, those that were read
// before stay valid.
func (c *credentials) current() []glpi.Credential {
	c.mu.Lock()
	defer c.mu.Unlock()
	info, err := os.Stat(c.file)
	if err != nil || info.ModTime().Equal(c.modified) && info.Size() == c.size {
		return c.list
	}
	c.modified, c.size = info.ModTime(), info.Size()
	list, err := readCredentials(c.file)
	if err != nil {
		c.logger.Error("cannot read the changed passwords of GLPI agents; the ones before stay valid", "error", err)
		return c.list
	}
	c.logger.Info("read the changed passwords of GLPI agents", "before", len(c.list), "now", len(list))
	c.list = list
	return c.list
}

// readCredentials reads lines of the form PASSWORD or NAME PASSWORD.
func readCredentials(file string) ([]glpi.Credential, error) {
	if err := checkSecret(file); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(file) //nolint:gosec // the operator's choice
	if err != nil {
		return nil, fmt.Errorf("read passwords of GLPI agents: %w", err)
	}
	var list []glpi.Credential
	for number, line := range strings.Split(string(text), "\n") {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		password := words[len(words)-1]
		switch {
		case len(words) > 2:
			return nil, fmt.Errorf("%s, line %d: write PASSWORD or NAME PASSWORD, without other spaces", file, number+1)
		case len(password) < minPassword:
			return nil, fmt.Errorf(
				"%s, line %d: the password has fewer than %d characters", file, number+1, minPassword,
			)
		}
		one := glpi.Credential{Password: sha256.Sum256([]byte(password))}
		if len(words) == 2 {
			one.Name = words[0]
		}
		list = append(list, one)
	}
	return list, nil
}

// minPassword prevents guessable passwords.
const minPassword = 16
