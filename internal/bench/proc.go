package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit of the times in /proc/PID/stat: USER_HZ, which is 100 on all Linux systems.
const tick = 10 * time.Millisecond

// cpuOf returns the CPU time of the living threads of a process in nanoseconds, as accounted by the
// scheduler (Documentation/scheduler/sched-stats.rst). The times of /proc/PID/stat are in ticks,
// which is too coarse for a session that works for a few milliseconds.
func cpuOf(pid int) (time.Duration, error) {
	files, err := filepath.Glob(procFile(pid, "task/*/schedstat"))
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, file := range files {
		text, err := os.ReadFile(file) //nolint:gosec // a file of /proc
		if gone(err) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("read CPU time: %w", err)
		}
		first, _, _ := strings.Cut(string(text), " ")
		ns, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read CPU time: %w", err)
		}
		sum += time.Duration(ns)
	}
	return sum, nil
}

// gone reports whether a read of /proc failed because the process had ended.
func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) }

func procFile(pid int, name string) string { return filepath.Join("/proc", strconv.Itoa(pid), name) }

// procStat holds fields of /proc/PID/stat (proc_pid_stat(5)).
type procStat struct {
	state          byte
	childrenFaults int           // of the children that ended and were waited for
	childrenCPU    time.Duration // of the same children
}

func statOf(pid int) (procStat, error) {
	text, err := os.ReadFile(procFile(pid, "stat"))
	if err != nil {
		return procStat{}, fmt.Errorf("read process: %w", err)
	}
	// The second field is a name in parentheses and may contain any character. Field 3 follows it.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 15 {
		return procStat{}, fmt.Errorf("read process: %q is not the status of one", text)
	}
	n := func(field int) int {
		value, _ := strconv.Atoi(fields[field-3])
		return value
	}
	return procStat{
		state: fields[0][0], childrenFaults: n(11) + n(13), childrenCPU: time.Duration(n(16)+n(17)) * tick,
	}, nil
}

// childrenOf returns the living children of a process.
func childrenOf(pid int) ([]int, error) {
	files, err := filepath.Glob(procFile(pid, "task/*/children"))
	if err != nil {
		return nil, err
	}
	var list []int
	for _, file := range files {
		text, err := os.ReadFile(file) //nolint:gosec // a file of /proc
		if err != nil && !gone(err) {
			return nil, fmt.Errorf("list children: %w", err)
		}
		for field := range strings.FieldsSeq(string(text)) {
			child, err := strconv.Atoi(field)
			if err != nil {
				return nil, fmt.Errorf("list children: %w", err)
			}
			list = append(list, child)
		}
	}
	return list, nil
}

// titleOf returns the command line of a process. A PostgreSQL process writes its role into it.
func titleOf(pid int) string {
	text, _ := os.ReadFile(procFile(pid, "cmdline"))
	return string(text)
}

// memoryOf returns a field of /proc/PID/status in bytes: VmRSS, the current memory, or VmHWM, its
// peak.
func memoryOf(pid int, field string) (int64, error) {
	text, err := os.ReadFile(procFile(pid, "status"))
	if err != nil {
		return 0, fmt.Errorf("read memory: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		rest, ok := strings.CutPrefix(line, field+":")
		if !ok {
			continue
		}
		kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read memory: %w", err)
		}
		return kib << 10, nil
	}
	return 0, fmt.Errorf("read memory: process %d has no %s", pid, field)
}
