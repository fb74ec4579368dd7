package e2e

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/link"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// recordWire makes TestGoldenWire write its files anew. A file of a release is never replaced: a
// release that changes the protocol gets a new one.
var recordWire = flag.Bool("record-wire", false, "write the golden files of the protocol anew")

// wireMachine is the machine of the golden files.
func wireMachine() *machine { return newMachine(70, "S70") }

// TestGoldenWire replays what agents of a release sent, byte for byte, against this collector. The
// file of a later release contains fields and a section that this collector does not know; it
// ignores them and stores the rest.
func TestGoldenWire(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"first-release", "later-release"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join("testdata", "wire", name+".bin")
			if *recordWire {
				writeMessages(t, file, firstSync(t, name == "later-release"))
			}
			messages := readMessages(t, file)
			c, m := newCollector(t, pgtest.New(t)), wireMachine()
			a := enroll(t, c, c.agents, m)
			s := converse(t, c, identityOf(t, a), m)
			s.say(t, messages[0])
			for _, wanted := range s.hearWant(t).GetSections() {
				if wanted.GetSection() == "quantum" {
					t.Error("the collector asks for a section that it does not know")
				}
			}
			for _, message := range messages[1:] {
				s.say(t, message)
			}
			if verdicts := s.hearAck(t).GetVerdicts(); len(verdicts) > 0 {
				t.Errorf("verdicts: %v", verdicts)
			}
			checkEqual(t, c, a, m)
			checkCounts(t, c, m)
		})
	}
}

// firstSync returns the messages of an agent's first check-in. Those of a later release have
// additional fields, also in the items of a section, and a section.
func firstSync(t *testing.T, later bool) []*inventoryv1.AgentMessage {
	t.Helper()
	extra := func(m proto.Message) {
		if later {
			field := protowire.AppendTag(nil, 4000, protowire.BytesType)
			m.ProtoReflect().SetUnknown(protowire.AppendString(field, "of a later release"))
		}
	}
	checkIn := &inventoryv1.CheckIn{Hello: &inventoryv1.Hello{AgentVersion: "0.1.0", BootId: "boot-1"}}
	items := wireMachine().items()
	checkIn.Hello.Hardware = link.Hardware(items["system"])
	messages := []*inventoryv1.AgentMessage{{Kind: &inventoryv1.AgentMessage_CheckIn{CheckIn: checkIn}}}
	var summaries []wire.Summary
	for _, name := range sections {
		for _, item := range items[name] {
			extra(item)
		}
		section := link.NewSection(name, inventory.StatusOK, "", time.Millisecond, items[name])
		summaries = append(summaries, section.Summary)
		summary := &inventoryv1.Summary{Section: name, Status: inventoryv1.Status_STATUS_OK, Root: section.Root[:]}
		extra(summary)
		checkIn.Sections = append(checkIn.Sections, summary)
		sent := &inventoryv1.Items{}
		for _, item := range section.Set.Items() {
			sent.Added = append(sent.Added, &inventoryv1.Item{Facts: item.Facts, Readings: item.Readings})
		}
		message := update(t, name, nil, section.Root, sent)
		extra(message)
		messages = append(messages, updateMessage(message))
	}
	if later {
		quantum := wire.Summary{Section: "quantum", Status: inventory.StatusOK, Root: inventory.Root{1}}
		summaries = append(summaries, quantum)
		checkIn.Sections = append(checkIn.Sections, &inventoryv1.Summary{
			Section: quantum.Section, Status: inventoryv1.Status_STATUS_OK, Root: quantum.Root[:],
		})
	}
	root := wire.InventoryRoot(summaries)
	checkIn.InventoryRoot = root[:]
	extra(checkIn)
	extra(checkIn.GetHello())
	return append(messages, commitMessage())
}

func writeMessages(t *testing.T, file string, messages []*inventoryv1.AgentMessage) {
	t.Helper()
	var text bytes.Buffer
	for _, message := range messages {
		if _, err := protodelim.MarshalTo(&text, message); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readMessages(t *testing.T, file string) (messages []*inventoryv1.AgentMessage) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for rest := bytes.NewReader(text); ; {
		message := &inventoryv1.AgentMessage{}
		err := protodelim.UnmarshalFrom(rest, message)
		if errors.Is(err, io.EOF) {
			return messages
		}
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, message)
	}
}
