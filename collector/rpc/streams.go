package rpc

import (
	"context"
	"sync"
	"time"
)

// streams has the conversations of each record on this collector.
type streams struct {
	mu   sync.Mutex
	by   map[int64]live                   // the one that checked in last
	open map[int64]map[*conversation]bool // all, also those that have not checked in
}

// live is a conversation and the boot id of its agent.
type live struct {
	*conversation
	boot string
}

func newStreams() *streams {
	return &streams{by: map[int64]live{}, open: map[int64]map[*conversation]bool{}}
}

// opened registers a conversation before its first check-in.
func (s *streams) opened(record int64, c *conversation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[record] == nil {
		s.open[record] = map[*conversation]bool{}
	}
	s.open[record][c] = true
}

func (s *streams) closed(record int64, c *conversation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open[record], c)
	if len(s.open[record]) == 0 {
		delete(s.open, record)
	}
}

// cut ends all conversations of a record.
func (s *streams) cut(record int64, cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open[record] {
		c.cancel(cause)
	}
}

// get returns the conversation of a record, if there is one.
func (s *streams) get(record int64) (live, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.by[record]
	return l, ok
}

// enter registers the conversation of a record and ends the previous one: an agent has one stream,
// so an older one belongs to a broken connection.
func (s *streams) enter(record int64, c *conversation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if before, ok := s.by[record]; ok && before.conversation != c {
		before.cancel(errReplaced)
	}
	s.by[record] = live{conversation: c, boot: c.hello.GetBootId()}
}

// leave reports whether the conversation was still the record's.
func (s *streams) leave(record int64, c *conversation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by[record].conversation != c {
		return false
	}
	delete(s.by, record)
	return true
}

// probeTimeout is the time in which a connected agent must check in on request.
const probeTimeout = 10 * time.Second

// answers reports whether the agent of a conversation is still connected, by requesting a check-in.
func (c *conversation) answers(ctx context.Context) bool {
	seen := c.nextCheckIn()
	if err := c.sendCollectNow(); err != nil {
		return false
	}
	select {
	case <-seen:
		return true
	case <-c.ctx.Done():
		return false
	case <-time.After(probeTimeout):
		return false
	case <-ctx.Done():
		return false
	}
}

// cutRevoked ends the conversations of agents that were revoked, on any collector.
func (s *Server) cutRevoked(ctx context.Context) {
	since, err := s.options.Store.Now(ctx)
	if err != nil {
		since = time.Now()
	}
	ticker := time.NewTicker(revocationInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		// Overlap, because a revocation becomes visible some time after its timestamp.
		revoked, err := s.options.Store.RevokedSince(ctx, since.Add(-time.Minute))
		if err != nil {
			s.options.Logger.Warn("cannot read revoked agents", "error", err)
			continue
		}
		if now, err := s.options.Store.Now(ctx); err == nil {
			since = now
		}
		for _, record := range revoked {
			s.live.cut(record, errRevoked)
		}
	}
}

// revocationInterval limits how long a revoked agent's stream stays open; ingest rejects its
// updates at once.
const revocationInterval = time.Second
