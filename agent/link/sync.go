package link

import (
	"context"
	"errors"
	"slices"
	"time"

	"google.golang.org/grpc"

	"github.com/musterhq/muster/agent/state"
	"github.com/musterhq/muster/internal/inventory"
)

// Report is the result of one check-in, for people.
type Report struct {
	Inventory []state.Section
	Outcome
	BytesSent     int // messages and their frames, without HTTP/2 and TLS
	BytesReceived int
	Collecting    time.Duration
	Syncing       time.Duration // from the connection to the Ack
}

// Sync checks in once.
func (a *Agent) Sync(ctx context.Context) (Report, error) {
	var report Report
	err := a.session(ctx, func(r Report) (wait time.Duration, more bool) {
		report = r
		return 0, false
	})
	if err != nil && ctx.Err() == nil {
		a.recordFailure(err, 0)
	}
	return report, err
}

// session connects and checks in until acknowledged, which it calls after each Ack, returns more =
// false. It recovers once from two errors: it renews a refused certificate and replaces a key that
// another machine uses.
func (a *Agent) session(ctx context.Context, acknowledged func(Report) (wait time.Duration, more bool)) error {
	err := a.connected(ctx, acknowledged)
	var rekey *rekeyError
	switch {
	case errors.As(err, &rekey):
		a.logger().Warn("another machine uses this machine's key", "reason", rekey.reason)
		identity, err := a.State.Identity()
		if err != nil {
			return err
		}
		if err := a.rekey(ctx, identity); err != nil {
			return err
		}
	case refusedCertificate(err):
		a.renew = true
	default:
		return err
	}
	return a.connected(ctx, acknowledged)
}

// connected is one session on one connection.
func (a *Agent) connected(ctx context.Context, acknowledged func(Report) (wait time.Duration, more bool)) error {
	identity, err := a.State.Identity()
	if err != nil {
		return err
	}
	if identity, err = a.ensureCertificate(ctx, identity); err != nil {
		return err
	}
	connection, err := connectAs(identity, identity.TLS(), a.now)
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return a.checkIns(ctx, connection, identity, acknowledged)
}

func (a *Agent) checkIns(
	ctx context.Context, connection *grpc.ClientConn, identity state.Identity,
	acknowledged func(Report) (time.Duration, bool),
) error {
	var c *conversation
	for {
		report, err := a.checkIn(ctx, connection, &c)
		if err != nil {
			return err
		}
		wait, more := acknowledged(report)
		if !more {
			return c.stream.CloseSend()
		}
		if a.Idle != nil {
			a.Idle()
		}
		if err := c.idle(wait); err != nil {
			return err
		}
		if !a.now().Before(RenewAt(identity)) {
			return nil // the next connection uses the new certificate
		}
	}
}

// checkIn collects the inventory, opens the stream if there is none and checks in. The inventory
// can be freed when it returns.
func (a *Agent) checkIn(ctx context.Context, connection *grpc.ClientConn, c **conversation) (Report, error) {
	start := time.Now()
	inv := a.Collect(ctx)
	if err := ctx.Err(); err != nil {
		return Report{}, err
	}
	collected := time.Now()
	if *c == nil {
		var err error
		if *c, err = a.converse(ctx, connection); err != nil {
			return Report{}, err
		}
	}
	sent, arrived := (*c).sent, (*c).arrived
	outcome, err := (*c).checkIn(inv)
	report := Report{
		Inventory: inv.view(), Outcome: outcome,
		BytesSent: (*c).sent - sent, BytesReceived: (*c).arrived - arrived,
		Collecting: collected.Sub(start), Syncing: time.Since(collected),
	}
	if err == nil {
		report.Verdicts = a.recordAck(report, inv)
	}
	return report, err
}

// maxVerdicts bounds the verdicts in the status file.
const maxVerdicts = 100

// recordAck writes the status and returns the verdicts that still apply. A verdict applies until
// its section is sent again.
func (a *Agent) recordAck(report Report, inv Inventory) []inventory.Verdict {
	verdicts := report.Verdicts
	sent := map[string]bool{}
	for _, s := range report.Sections {
		sent[s.Section] = true
	}
	for _, s := range inv.Sections {
		if sent[s.Section] {
			verdicts = append(verdicts, s.Verdicts...)
		}
	}
	before, err := a.State.Status()
	if err != nil {
		a.logger().Warn("status not read", "error", err)
	}
	for _, v := range before.Verdicts {
		if !sent[v.Section] {
			verdicts = append(verdicts, v)
		}
	}
	verdicts = verdicts[:min(len(verdicts), maxVerdicts)]
	now := a.now()
	a.setStatus(state.Status{
		LastAck: now, NextCheckIn: now.Add(report.Next),
		Sections: report.Inventory, Verdicts: slices.Clip(verdicts),
	})
	return verdicts
}

// recordFailure writes the reason of a failed check-in to the status. wait is the time until the
// next attempt, 0 if there is none.
func (a *Agent) recordFailure(cause error, wait time.Duration) {
	status, err := a.State.Status()
	if err != nil {
		a.logger().Warn("status not read", "error", err)
	}
	status.LastError, status.LastErrorAt = Explain(cause), a.now()
	status.NextCheckIn = time.Time{}
	if wait > 0 {
		status.NextCheckIn = status.LastErrorAt.Add(wait)
	}
	a.setStatus(status)
}

// setStatus logs a write error, for example on a full disk, and continues: nothing depends on the
// status.
func (a *Agent) setStatus(status state.Status) {
	if err := a.State.SetStatus(status); err != nil {
		a.logger().Warn("status not written", "error", err)
	}
}
