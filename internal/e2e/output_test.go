package e2e

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"
)

// output takes what a program writes. Whoever waits for a line is told of it.
type output struct {
	mu      sync.Mutex
	text    bytes.Buffer
	waiting map[string]chan string
	scanned int
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	o.scan()
	return len(p), nil
}

// scan hands complete lines to those who wait for them, each only once.
func (o *output) scan() {
	for {
		line, _, complete := strings.Cut(o.text.String()[o.scanned:], "\n")
		if !complete {
			return
		}
		o.scanned += len(line) + 1
		for part, waiting := range o.waiting {
			if strings.Contains(line, part) {
				delete(o.waiting, part)
				waiting <- line
			}
		}
	}
}

// line gives the next line that contains a part.
func (o *output) line(part string) <-chan string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.waiting == nil {
		o.waiting = map[string]chan string{}
	}
	waiting := make(chan string, 1)
	o.waiting[part] = waiting
	return waiting
}

// await waits for a line that was asked for.
func await(t testing.TB, line <-chan string) string {
	t.Helper()
	select {
	case text := <-line:
		return text
	case <-time.After(patience):
		t.Fatal("the line that was waited for does not come")
		return ""
	}
}

// String gives everything that was written so far.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
