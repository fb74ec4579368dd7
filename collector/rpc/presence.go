package rpc

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// flushInterval is the longest delay of last_seen in the store.
const flushInterval = time.Second

// flushSize is the number of records per statement.
const flushSize = 1000

// presence collects the times of check-ins, so that a check-in needs no statement.
type presence struct {
	mu   sync.Mutex
	seen map[int64]inventory.Presence
}

func newPresence() *presence { return &presence{seen: map[int64]inventory.Presence{}} }

func (p *presence) note(seen inventory.Presence) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen[seen.Record] = seen
}

// noStream is the stream of a record whose conversation ended.
var noStream [16]byte

func (p *presence) left(last inventory.Presence) {
	last.Stream = noStream
	p.note(last)
}

func (p *presence) take() []inventory.Presence {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]inventory.Presence, 0, len(p.seen))
	for _, seen := range p.seen {
		list = append(list, seen)
	}
	clear(p.seen)
	slices.SortFunc(list, func(a, b inventory.Presence) int { return cmp.Compare(a.Record, b.Record) })
	return list
}

func (s *Server) flushPresence(ctx context.Context) {
	ticker := time.NewTicker(flushInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.flush(ctx)
		case <-ctx.Done():
			s.flush(ctx)
			return
		}
	}
}

// flushTimeout bounds a flush.
const flushTimeout = 5 * time.Second

// flush stores what was noted, also after ctx has ended: what it takes is noted nowhere else.
func (s *Server) flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	for seen := range slices.Chunk(s.presence.take(), flushSize) {
		if err := s.options.Store.FlushPresence(ctx, seen); err != nil {
			s.options.Logger.Warn("cannot store the times of check-ins", "records", len(seen), "error", err)
		}
	}
}
