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
	// connectTime bounds the time for connecting agents. The memory of the rest is extrapolated.
	connectTime = 45 * time.Second
	// spareFiles is the number of files that a process needs beside its connections.
	spareFiles = 500
	// minimal is the number of sections of the agents that only connect.
	minimal = 2
)

// measureMemory connects more agents and measures the collector's memory while all are silent. The
// additional agents send few sections, because a silent agent needs the same memory after any
// inventory.
func (r *fleetRun) measureMemory(ctx context.Context) error {
	if r.connected == 0 {
		return nil
	}
	before, err := r.resting(ctx)
	if err != nil {
		return err
	}
	begun := len(r.clients)
	if err := r.connectMore(ctx); err != nil {
		return err
	}
	memory, err := r.resting(ctx)
	if err != nil {
		return err
	}
	there, note := len(r.clients), fmt.Sprintf("%d agents", len(r.clients))
	if more := there - begun; more > 0 {
		each := float64(memory-before) / float64(more)
		note += fmt.Sprintf("; %.0f MB with %d, %.1f kB for each more", float64(before)/1e6, begun, each/1e3)
		if there < r.connected {
			memory += int64(each * float64(r.connected-there))
			note = fmt.Sprintf("extrapolated to %d from ", r.connected) + note
		}
	}
	r.report.add("memory", float64(memory)/1e6, note)
	return nil
}

// resting returns the collector's memory after it has become quiet.
func (r *fleetRun) resting(ctx context.Context) (int64, error) {
	if err := r.awaitBackground(ctx); err != nil {
		return 0, err
	}
	return memoryOf(r.collector.pid(), "VmRSS")
}

// connectMore connects agents until there are enough, or until time or files run out.
func (r *fleetRun) connectMore(ctx context.Context) error {
	files, err := maxFiles()
	if err != nil {
		return err
	}
	begun := len(r.clients)
	want := min(r.connected, files-spareFiles) - begun
	if want <= 0 {
		return nil
	}
	r.progress.stepf(want, "connecting %d more agents", want)
	limited, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	for i := range want {
		r.clients = append(r.clients, &client{machine: begun + i})
	}
	err = r.each(limited, r.clients[begun:], func(ctx context.Context, c *client) error {
		if err := c.enroll(ctx, r.collector); err != nil {
			return err
		}
		return r.sendFirst(ctx, c, minimal)
	})
	if ctx.Err() == nil && limited.Err() != nil { // the timeout surfaces as various errors
		err = nil
	}
	r.forget(begun)
	return err
}

// forget removes the clients from the n-th on that did not complete their first check-in.
func (r *fleetRun) forget(n int) {
	kept := r.clients[:n]
	for _, c := range r.clients[n:] {
		if c.token == nil {
			c.close()
			continue
		}
		kept = append(kept, c)
	}
	r.clients = kept
}

// maxFiles returns the limit of open files of this process. The collector has the same: Go's
// runtime raises the soft limit to the hard one.
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
	return 0, errors.New("read limits: no limit of open files")
}
