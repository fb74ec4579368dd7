package postgres

import (
	"context"
	"fmt"
	"time"
)

// The waits between attempts to restart a server. A server that ran for steadyTime before it ended
// is restarted at once.
const (
	restartFirst = time.Second
	restartCap   = time.Minute
	steadyTime   = time.Minute
)

// Watch restarts the server whenever it ends, until ctx ends. It never gives up, because a disk
// that was full may have space later; Err reports that it has failed. The URL stays the same. Stop
// must not be called before Watch returns.
func (c *Cluster) Watch(ctx context.Context) {
	wait, began := restartFirst, time.Now()
	for {
		select {
		case <-c.process.done:
		case <-ctx.Done():
			return
		}
		c.logger.Error("PostgreSQL ended", "error", c.process.exit(), "log", c.log.path)
		if time.Since(began) < steadyTime {
			if !pause(ctx, wait) {
				return
			}
			wait = min(2*wait, restartCap)
		} else {
			wait = restartFirst
		}
		for began = time.Now(); !c.restart(ctx); began = time.Now() {
			if !pause(ctx, wait) {
				return
			}
			wait = min(2*wait, restartCap)
		}
	}
}

// Err returns the error of the last attempt to restart the server, or nil if it runs or has not
// failed to restart.
func (c *Cluster) Err() error {
	if err := c.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// restart starts the server again and reports whether it runs.
func (c *Cluster) restart(ctx context.Context) bool {
	err := c.server.evict(ctx, c.data(), c.name(), c.logger)
	if err == nil {
		err = c.launch(ctx)
	}
	if ctx.Err() != nil {
		return false
	}
	if err != nil {
		err = fmt.Errorf("restart PostgreSQL: %w", err)
		c.failure.Store(&err)
		c.logger.Error("cannot restart PostgreSQL", "error", err)
		return false
	}
	c.failure.Store(nil)
	c.logger.Info("PostgreSQL restarted", "pid", c.process.pid())
	return true
}

// pause reports false if ctx ended.
func pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
