package rpc

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// TestSendableVerdicts: an Ack stays below the size that agents accept, whatever was rejected.
func TestSendableVerdicts(t *testing.T) {
	t.Parallel()
	few := []inventory.Verdict{{Section: "os"}, {Section: "cpu"}}
	if got := sendable(few); len(got) != 2 {
		t.Errorf("got %d verdicts, want both", len(got))
	}
	many := make([]inventory.Verdict, 5000)
	for i := range many {
		many[i] = inventory.Verdict{
			Section: "software", Item: strings.Repeat("i", 200), Outcome: inventory.OutcomeRejected,
			Reason: strings.Repeat("r", i),
		}
	}
	ack := &inventoryv1.Ack{}
	for _, v := range sendable(many) {
		ack.Verdicts = append(ack.Verdicts, &inventoryv1.Verdict{
			Section: v.Section, Item: v.Item, Outcome: v.Outcome, Reason: v.Reason,
		})
	}
	if size := proto.Size(ack); size > maxSentVerdicts || size < maxSentVerdicts/2 {
		t.Errorf("got an Ack of %d bytes, want at most %d", size, maxSentVerdicts)
	}
}
