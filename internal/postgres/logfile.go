package postgres

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"
)

const (
	maxLogSize = 16 * mebibyte
	tailSize   = 2048
)

// logFile is the server's log. It keeps the last 16 to 32 MiB in two files: path, and path.1 with
// the older part.
type logFile struct {
	path string
	mu   sync.Mutex
	file *os.File
	size int64
}

func openLog(path string) (*logFile, error) {
	l := &logFile{path: path}
	return l, l.open()
}

func (l *logFile) open() (err error) {
	l.file, err = os.OpenFile(l.path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	l.size, err = l.file.Seek(0, io.SeekEnd)
	return err
}

// Write appends to the log. It never returns an error, because a full disk must not block the
// server, which writes here.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size+int64(len(p)) > maxLogSize {
		l.rotate()
	}
	n, _ := l.file.Write(p) // there is no other place to report the error
	l.size += int64(n)
	return len(p), nil
}

// rotate starts a new file. If that fails, it keeps the old one.
func (l *logFile) rotate() {
	old := l.file
	if os.Rename(l.path, l.path+".1") != nil {
		return
	}
	if l.open() != nil {
		l.file, l.size = old, 0
		return
	}
	_ = old.Close()
}

// tail returns the last lines of the log, for error messages.
func (l *logFile) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := make([]byte, min(l.size, tailSize))
	n, err := l.file.ReadAt(text, l.size-int64(len(text)))
	if err != nil {
		return fmt.Sprintf("(%v)", err)
	}
	text = text[:n]
	if l.size > tailSize {
		_, text, _ = bytes.Cut(text, []byte("\n")) // the first line is incomplete
	}
	return string(bytes.TrimSpace(text))
}

// Close closes the file. Later writes are lost.
func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}
