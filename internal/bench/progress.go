package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress reports what is being measured.
type progress struct {
	out   io.Writer
	began time.Time

	mu    sync.Mutex
	what  string
	of    int
	done  int
	shown int // percent
}

// stepf starts a step of a number of equal parts; 0: not countable.
func (p *progress) stepf(of int, format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.what, p.of, p.done, p.shown = fmt.Sprintf(format, args...), of, 0, 0
	fmt.Fprintf(p.out, "[%5.1fs] %s\n", time.Since(p.began).Seconds(), p.what)
}

// advance counts a finished part.
func (p *progress) advance() {
	const step = 25 // percent
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if percent := 100 * p.done / max(p.of, 1); percent >= p.shown+step && percent < 100 {
		p.shown = percent - percent%step
		fmt.Fprintf(p.out, "[%5.1fs]   %d of %d\n", time.Since(p.began).Seconds(), p.done, p.of)
	}
}
