package rpc

import (
	"fmt"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/musterhq/muster/internal/inventory"
)

// Memory for the inventories in progress, in bytes. The share of one agent is enough for 80,000
// programs. Sixteen hostile agents are needed to use up everything, and only until holdTimeout.
const (
	agentShare  = 48 << 20
	maxInFlight = 16 * agentShare
)

// budget is the memory that the inventories in progress may occupy. It is safe for concurrent use.
type budget struct {
	share int64
	whole *semaphore.Weighted

	mu   sync.Mutex
	held map[int64]int64 // by record; no entry for those that hold nothing
}

func newBudget(whole, share int64) *budget {
	return &budget{share: share, whole: semaphore.NewWeighted(whole), held: map[int64]int64{}}
}

// take reserves bytes for a record, which must be released. A record has one share, however many
// streams its agent opens.
func (b *budget) take(record, bytes int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held[record]+bytes > b.share {
		return &inventory.Error{
			Code:    inventory.CodeInvalid,
			Message: fmt.Sprintf("the inventory occupies more than %d MiB, the share of one agent", b.share>>20),
		}
	}
	if !b.whole.TryAcquire(bytes) {
		return &inventory.Error{
			Code:    inventory.CodeUnavailable,
			Message: "the collector is busy with other inventories; try again later",
		}
	}
	b.held[record] += bytes
	return nil
}

func (b *budget) release(record, bytes int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.whole.Release(bytes)
	if b.held[record] -= bytes; b.held[record] == 0 {
		delete(b.held, record)
	}
}
