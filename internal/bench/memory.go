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
	// spareFiles are those that a process needs for other cis than connections.
	spareFiles = 500
	// minimal is how many sections the agents send that are there to be connected only.
	minimal = 2
)

// measureMemory connects the rest of the agents and looks at the collector while they all are silent. The fleet's agents
// have sent whole inventories, the rest sends little: who is silent takes the same either way.
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

// resting gives the collector's memory when it has come to rest.
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
	if ctx.Err() == nil && limited.Err() != nil { // what fails by that, says so in many ways
		err = nil
	}
	r.forget(begun)
	return err
}

// forget drops the clients, from the n-th on, that did not get through.
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
