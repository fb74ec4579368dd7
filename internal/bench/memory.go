package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	// timeBudget is how long the agent and the fleet may take: whoever is not connected by then is extrapolated.
	timeBudget = 170 * time.Second
	// connectTime is what connecting may take in any case.
	connectTime = 20 * time.Second
	// spareFiles are those that a process needs for other things than connections.
	spareFiles = 500
	// minimal is how many sections the agents send that are there to be connected only.
	minimal = 2
)

// measureMemory connects the rest of the agents and looks at the collector while they all are silent. The fleet's agents
// have sent whole inventories, the rest sends little: who is silent takes the same either way.
func (b *bench) measureMemory(ctx context.Context) error {
	if b.connected == 0 {
		return nil
	}
	before, err := b.resting(ctx)
	if err != nil {
		return err
	}
	begun := len(b.clients)
	if err := b.connectMore(ctx); err != nil {
		return err
	}
	memory, err := b.resting(ctx)
	if err != nil {
		return err
	}
	there, note := len(b.clients), fmt.Sprintf("%d agents", len(b.clients))
	if more := there - begun; more > 0 {
		each := float64(memory-before) / float64(more)
		note += fmt.Sprintf("; %.0f MB with %d, %.1f kB for each more", float64(before)/1e6, begun, each/1e3)
		if there < b.connected {
			memory += int64(each * float64(b.connected-there))
			note = fmt.Sprintf("extrapolated to %d from ", b.connected) + note
		}
	}
	b.report.add("memory", float64(memory)/1e6, note)
	return nil
}

// resting gives the collector's memory when it has come to rest.
func (b *bench) resting(ctx context.Context) (int64, error) {
	if err := b.settle(ctx, time.Now(), 0); err != nil {
		return 0, err
	}
	return memoryOf(b.collector.pid(), "VmRSS")
}

// connectMore connects agents until there are enough, or until time or files run out.
func (b *bench) connectMore(ctx context.Context) error {
	files, err := maxFiles()
	if err != nil {
		return err
	}
	begun := len(b.clients)
	want := min(b.connected, files-spareFiles) - begun
	if want <= 0 {
		return nil
	}
	b.progress.stepf(want, "connecting %d more agents", want)
	limited, cancel := context.WithTimeout(ctx, max(timeBudget-time.Since(b.progress.began), connectTime))
	defer cancel()
	for i := range want {
		b.clients = append(b.clients, &client{machine: begun + i})
	}
	err = b.each(limited, b.clients[begun:], func(ctx context.Context, c *client) error {
		if err := c.enroll(ctx, b.collector); err != nil {
			return err
		}
		return b.sendFirst(ctx, c, minimal)
	})
	if ctx.Err() == nil && limited.Err() != nil { // what fails by that, says so in many ways
		err = nil
	}
	b.forget(begun)
	return err
}

// forget drops the clients, from the n-th on, that did not get through.
func (b *bench) forget(n int) {
	kept := b.clients[:n]
	for _, c := range b.clients[n:] {
		if c.token == nil {
			c.close()
			continue
		}
		kept = append(kept, c)
	}
	b.clients = kept
}

// maxFiles is how many files this process may have open, and the collector with it: Go's runtime raises the limit of each
// to the hard one.
func maxFiles() (int, error) {
	text, err := os.ReadFile("/proc/self/limits")
	if err != nil {
		return 0, fmt.Errorf("read limits: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "Max open files"); ok {
			return strconv.Atoi(strings.Fields(rest)[0])
		}
	}
	return 0, errors.New("read limits: there is none of open files")
}
