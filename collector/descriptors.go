package main

import (
	"net"
	"os"
	"strconv"
	"strings"

	"golang.org/x/net/netutil"
)

// descriptors divides the file descriptors of the process, so that agents leave enough for people.
type descriptors struct {
	agents, api, glpi, metrics int // connections
}

const (
	ownDescriptors     = 128 // database connections, files and listeners
	metricsConnections = 16
	maxAPIConnections  = 1024
	// usualDescriptors is assumed where the system has no /proc.
	usualDescriptors = 8192
)

// divide divides a number of descriptors.
func divide(all int) descriptors {
	people := max(min(all/8, maxAPIConnections), 1)
	d := descriptors{api: people, glpi: people, metrics: metricsConnections}
	d.agents = max(all-ownDescriptors-d.api-d.glpi-d.metrics, 1)
	return d
}

// openFilesLimit returns how many descriptors the process may have.
func openFilesLimit() int {
	text, err := os.ReadFile("/proc/self/limits")
	if err != nil {
		return usualDescriptors
	}
	return parseLimit(string(text))
}

// parseLimit reads the soft limit in proc_pid_limits(5). The Go runtime has raised it to the hard
// one.
func parseLimit(text string) int {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "Max open files"); ok {
			fields := strings.Fields(rest)
			if len(fields) > 0 {
				if n, err := strconv.Atoi(fields[0]); err == nil {
					return n
				}
			}
		}
	}
	return usualDescriptors
}

// limit has connections beyond the number wait until another one is closed.
func limit(listener net.Listener, connections int) net.Listener {
	if listener == nil {
		return nil
	}
	return netutil.LimitListener(listener, connections)
}
