package e2e

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"
)

// output collects what a program writes, and notifies those who wait for a line.
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

// scan passes each complete line to those who wait for it, once.
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

// line returns a channel that receives the next line that contains a part.
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

// await waits for a line that was requested with line.
func await(t testing.TB, line <-chan string) string {
	t.Helper()
	select {
	case text := <-line:
		return text
	case <-time.After(waitLimit):
		t.Fatal("the line that was waited for does not come")
		return ""
	}
}

// String returns everything that was written so far.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
