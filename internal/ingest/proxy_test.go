package ingest_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// proxy forwards the messages of clients to PostgreSQL and can intervene before a statement.
type proxy struct {
	url        string
	server     string
	mu         sync.Mutex
	statements int
	intervene  func(statement int) bool
}

// before has f called before each statement of all connections, one at a time. Statements are
// counted from 1 anew. If f returns false, the connection ends.
func (p *proxy) before(f func(statement int) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.statements, p.intervene = 0, f
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	config, err := pgx.ParseConfig(target)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	listener, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	port := strconv.Itoa(int(config.Port))
	p := &proxy{server: filepath.Join(config.Host, ".s.PGSQL."+port), intervene: func(int) bool { return true }}
	query := url.Values{"host": {dir}, "port": {"5432"}, "user": {config.User}}
	p.url = "postgres:///" + config.Database + "?" + query.Encode()
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go p.forward(client)
		}
	}()
	return p
}

func (p *proxy) forward(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("unix", p.server)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	go func() {
		_, _ = io.Copy(client, server)
		_ = client.Close()
	}()
	if copyMessage(server, client) != nil {
		return
	}
	var kind [1]byte
	for {
		if _, err := io.ReadFull(client, kind[:]); err != nil {
			return
		}
		if !p.allow(kind[0]) {
			return
		}
		if _, err := server.Write(kind[:]); err != nil || copyMessage(server, client) != nil {
			return
		}
	}
}

// allow reports whether a message may pass: Execute and Query are statements.
func (p *proxy) allow(kind byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if kind != 'E' && kind != 'Q' {
		return true
	}
	p.statements++
	return p.intervene(p.statements)
}

var errMessage = errors.New("the message is too short")

// copyMessage copies the length and the body of a message (PostgreSQL 15, 55.7). The length
// includes itself.
func copyMessage(to io.Writer, from io.Reader) error {
	var length [4]byte
	if _, err := io.ReadFull(from, length[:]); err != nil {
		return err
	}
	n := int64(binary.BigEndian.Uint32(length[:]))
	if n < 4 {
		return errMessage
	}
	if _, err := to.Write(length[:]); err != nil {
		return err
	}
	_, err := io.CopyN(to, from, n-4)
	return err
}
