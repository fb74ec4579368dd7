package link_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/musterhq/muster/agent/link"
	"github.com/musterhq/muster/agent/state"
	"github.com/musterhq/muster/internal/inventory"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// checkHeld compares what the collector holds with what is on the machine.
func checkHeld(t *testing.T, c *collector, m *machine, a *link.Agent) {
	t.Helper()
	if diff := cmp.Diff(m.wanted(), c.facts(agentID(t, a), "software")); diff != "" {
		t.Errorf("software that the collector holds (-want +got):\n%s", diff)
	}
}

func sentSections(r link.Report) map[string]string {
	how := map[string]string{}
	for _, s := range r.Sections {
		how[s.Section] = "delta"
		if s.Whole {
			how[s.Section] = "whole"
		}
	}
	return how
}

func TestFirstSyncSendsEverythingAndTheNextNothing(t *testing.T) {
	t.Parallel()
	c, m := newCollector(t), newMachine("bash", "zsh")
	a := newAgent(t, c, m)
	first := mustSync(t, a)
	want := map[string]string{"system": "whole", "volume": "whole", "software": "whole"}
	if diff := cmp.Diff(want, sentSections(first)); diff != "" {
		t.Errorf("sent first (-want +got):\n%s", diff)
	}
	checkHeld(t, c, m, a)
	if got := c.received[0].GetHello(); got.GetAgentVersion() != "1.2.3" || got.GetBootId() != "boot-1" || len(got.GetHardware()) != 1 {
		t.Errorf("hello: got %v", got)
	}

	second := mustSync(t, a)
	if len(second.Sections) > 0 || len(c.received[1].GetSections()) > 0 {
		t.Errorf("an unchanged machine was sent again: %v", second.Sections)
	}
	if string(c.received[1].GetToken()) != "token-1" {
		t.Errorf("token: got %q, want the one of the first Ack", c.received[1].GetToken())
	}
	if second.BytesSent+second.BytesReceived > 300 {
		t.Errorf("unchanged: %d bytes sent and %d received, want at most 300", second.BytesSent, second.BytesReceived)
	}
}

func TestUpgradeIsSentAsADelta(t *testing.T) {
	t.Parallel()
	c, m := newCollector(t), newMachine(names(500)...)
	a := newAgent(t, c, m)
	mustSync(t, a)
	m.with(func() {
		m.software[7].(*inventoryv1.Software).Version = "2.0"
		m.software = append(m.software[:20], m.software[21:]...)
		m.software = append(m.software, packages("new")...)
	})
	report := mustSync(t, a)
	want := []link.Sent{{Section: "software", Added: 2, Removed: 2}}
	if diff := cmp.Diff(want, report.Sections, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Bytes" }, cmp.Ignore())); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	checkHeld(t, c, m, a)
}

func TestPartialSectionIsSentWholeAndUncollectedNotAtAll(t *testing.T) {
	t.Parallel()
	c, m := newCollector(t), newMachine("bash", "zsh")
	a := newAgent(t, c, m)
	mustSync(t, a)
	m.with(func() { m.status, m.software = inventory.StatusPartial, packages("bash") })
	if diff := cmp.Diff(map[string]string{"software": "whole"}, sentSections(mustSync(t, a))); diff != "" {
		t.Errorf("partial (-want +got):\n%s", diff)
	}

	before := c.facts(agentID(t, a), "software")
	m.with(func() { m.status = inventory.StatusDenied })
	if got := mustSync(t, a).Sections; len(got) > 0 {
		t.Errorf("denied: got %v sent, want nothing", got)
	}
	summary := c.received[2].GetSections()[2]
	wantSummary := &inventoryv1.Summary{Section: "software", Status: inventoryv1.Status_STATUS_DENIED, Message: "some of it could not be read"}
	if diff := cmp.Diff(wantSummary, summary, protocmp.Transform()); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, c.facts(agentID(t, a), "software")); diff != "" {
		t.Errorf("a denied section changed what is held (-want +got):\n%s", diff)
	}
}

func TestLostAckCostsACheckInAndNothingElse(t *testing.T) {
	t.Parallel()
	c, m := newCollector(t), newMachine("bash")
	dir := enrolled(t, c, m)
	a := resume(t, dir, m)
	mustSync(t, a)
	m.with(func() { m.software = packages("bash", "zsh") })
	c.with(func() { c.dropAck = true })
	if _, err := a.Sync(t.Context()); err == nil || !strings.Contains(link.Explain(err), "the collector is stopping") {
		t.Fatalf("got %v, want the broken stream", err)
	}
	if root, _ := a.State.InventoryRoot(); root == inventory.Root(c.received[1].GetInventoryRoot()) {
		t.Error("the agent took an inventory for acknowledged that was not")
	}
	if err := a.State.Close(); err != nil { // the agent ends, too
		t.Fatal(err)
	}

	a = resume(t, dir, m)
	if got := mustSync(t, a).Sections; len(got) > 0 {
		t.Errorf("after the lost Ack: got %v sent, want nothing: the collector has it", got)
	}
	if got := string(c.received[2].GetToken()); got != "token-1" {
		t.Errorf("after the lost Ack: got token %q, want the one before", got)
	}
	m.with(func() { m.software = packages("zsh") })
	if diff := cmp.Diff(map[string]string{"software": "delta"}, sentSections(mustSync(t, a))); diff != "" {
		t.Errorf("afterwards (-want +got):\n%s", diff)
	}
	checkHeld(t, c, m, a)
}

func TestCollectorThatLostItsRecordGetsEverything(t *testing.T) {
	t.Parallel()
	c, m := newCollector(t), newMachine("bash")
	a := newAgent(t, c, m)
	mustSync(t, a)
	c.with(func() {
		for _, r := range c.records {
			r.root, r.sections, r.token, r.before = inventory.Root{}, map[string]*held{}, nil, nil
		}
	})
	want := map[string]string{"system": "whole", "volume": "whole", "software": "whole"}
	if diff := cmp.Diff(want, sentSections(mustSync(t, a))); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	checkHeld(t, c, m, a)
}

func TestUnknownBaseAndWrongOutcomeFallBackToTheWhole(t *testing.T) {
	t.Parallel()
	c, m := newCollector(t), newMachine("bash", "zsh")
	a := newAgent(t, c, m)
	mustSync(t, a)
	if err := a.State.Forget(); err != nil { // as after damage
		t.Fatal(err)
	}
	m.with(func() { m.software = packages("bash") })
	if got := sentSections(mustSync(t, a))["software"]; got != "whole" {
		t.Errorf("base unknown to the agent: got %q, want whole", got)
	}
	m.with(func() { m.software = packages("fish") })
	c.with(func() { c.distrust = 1 })
	report := mustSync(t, a)
	if len(report.Sections) != 2 || report.Sections[0].Whole || !report.Sections[1].Whole {
		t.Errorf("a delta that came out wrong: got %+v, want the delta and then the whole", report.Sections)
	}
	checkHeld(t, c, m, a)
}

func TestReadingsAreSentOnceADay(t *testing.T) {
	t.Parallel()
	c, m := newCollector(t), newMachine("bash", "zsh")
	c.readings = true
	a := newAgent(t, c, m)
	mustSync(t, a)
	m.with(func() { m.volumes[0].(*inventoryv1.Volume).FreeBytes = proto.Uint64(42) })
	mustSync(t, a)
	if c.received[1].GetReadingsDue() {
		t.Error("readings are due again at once")
	}
	c.with(func() { c.updates = nil })
	m.with(func() { m.clock = birth.Add(25 * time.Hour); m.software = packages("bash", "fish") })
	c.with(func() { c.clock = birth.Add(25 * time.Hour) })
	mustSync(t, a)
	readingsOnly := map[string]bool{}
	for _, u := range c.updates {
		readingsOnly[u.GetSection()] = u.GetReadingsOnly()
	}
	if diff := cmp.Diff(map[string]bool{"volume": true, "software": false}, readingsOnly); diff != "" {
		t.Errorf("updates of the day, by whether they hold only readings (-want +got):\n%s", diff)
	}
	section := link.NewSection("volume", inventory.StatusOK, "", 0, m.volumes)
	item := section.Set.Items()[0]
	for _, r := range c.records {
		if got := r.sections["volume"].readings[uint64(item.KeyHash)]; got != string(item.Readings) {
			t.Errorf("reading: got %x, want %x", got, item.Readings)
		}
		if got := len(r.sections["software"].readings); got != 3 {
			t.Errorf("readings of software: got %d, want those of bash, zsh and fish", got)
		}
	}
	if got, want := a.State.ReadingsAccepted(), birth.Add(25*time.Hour); !got.Equal(want) {
		t.Errorf("readings accepted: got %v, want %v", got, want)
	}
}

func TestHugeSectionIsSentInChunks(t *testing.T) {
	t.Parallel()
	c, m := newCollector(t), newMachine(names(100_000)...)
	a := newAgent(t, c, m)
	mustSync(t, a)
	checkHeld(t, c, m, a)
	chunks := 0
	for _, u := range c.updates {
		if u.GetSection() == "software" {
			chunks++
		}
	}
	if chunks < 5 {
		t.Errorf("got %d chunks of 100,000 items, want several", chunks)
	}
}

func TestHugeItemMakesItsSectionPartial(t *testing.T) {
	t.Parallel()
	c, m := newCollector(t), newMachine("bash", strings.Repeat("x", 1<<20), "zsh\xff")
	a := newAgent(t, c, m)
	report := mustSync(t, a)
	if got := len(c.facts(agentID(t, a), "software")); got != 2 {
		t.Errorf("the collector holds %d items, want the two others", got)
	}
	outcomes := map[string]bool{}
	for _, v := range report.Verdicts {
		outcomes[v.Outcome] = true
	}
	if diff := cmp.Diff(map[string]bool{"cleaned": true, "rejected": true}, outcomes); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	got, _ := a.State.Status()
	if s := got.Sections[2]; s.Status != inventory.StatusPartial || !strings.Contains(s.Message, "larger than") {
		t.Errorf("section: got %+v, want it partial and why", s)
	}
}

func TestVerdictsApplyUntilTheSectionIsSentAgain(t *testing.T) {
	t.Parallel()
	c, m := newCollector(t), newMachine("bash")
	c.verdicts = []*inventoryv1.Verdict{{Section: "software", Item: "dpkg bash amd64", Outcome: "truncated", Reason: "too long"}}
	a := newAgent(t, c, m)
	mustSync(t, a)
	c.with(func() { c.verdicts = nil })
	if got := mustSync(t, a).Verdicts; len(got) != 1 || got[0].Reason != "too long" {
		t.Errorf("unchanged: got %v, want the verdict to stand", got)
	}
	m.with(func() { m.software = packages("zsh") })
	if got := mustSync(t, a).Verdicts; len(got) != 0 {
		t.Errorf("sent again: got %v, want none", got)
	}
}

func TestStatusReportsTheLastCheckIn(t *testing.T) {
	t.Parallel()
	c, m := newCollector(t), newMachine("bash")
	a := newAgent(t, c, m)
	mustSync(t, a)
	got, err := a.State.Status()
	if err != nil {
		t.Fatal(err)
	}
	want := state.Status{
		LastAck: birth, NextCheckIn: birth.Add(time.Hour),
		Sections: []state.Section{
			{Section: "system", Status: "ok", Items: 1}, {Section: "volume", Status: "ok", Items: 1},
			{Section: "software", Status: "ok", Items: 1},
			{Section: "display", Status: "unsupported", Message: "no displays here"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("after an Ack (-want +got):\n%s", diff)
	}
	c.with(func() {
		for _, r := range c.records {
			r.revoked = true
		}
	})
	if _, err := a.Sync(t.Context()); err == nil {
		t.Fatal("a revoked agent was served")
	}
	got, _ = a.State.Status()
	if !strings.Contains(got.LastError, "refuses this agent: this agent's key was revoked") || !got.LastAck.Equal(birth) {
		t.Errorf("after a refusal: got %+v", got)
	}
}

func TestHostileCollectorIsAnError(t *testing.T) {
	t.Parallel()
	flood := make([]*inventoryv1.CollectorMessage, 100)
	for i := range flood {
		flood[i] = &inventoryv1.CollectorMessage{Kind: &inventoryv1.CollectorMessage_CollectNow{CollectNow: &inventoryv1.CollectNow{}}}
	}
	ack := &inventoryv1.Ack{Token: make([]byte, 4096)}
	cases := map[string]struct {
		bend func(c *collector)
		want string
	}{
		"wants for ever": {func(c *collector) { c.wantAll = true }, "still asks for sections after 3 replies"},
		"says nothing":   {func(c *collector) { c.say = []*inventoryv1.CollectorMessage{{}} }, "message of an unknown kind"},
		"says too much":  {func(c *collector) { c.say = flood }, "without acknowledging the inventory"},
		"gives huge token": {func(c *collector) {
			c.say = []*inventoryv1.CollectorMessage{{Kind: &inventoryv1.CollectorMessage_Ack{Ack: ack}}}
		}, "4096 bytes"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, m := newCollector(t), newMachine("bash")
			tc.bend(c)
			a := newAgent(t, c, m)
			if _, err := a.Sync(t.Context()); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if _, ok := a.State.InventoryRoot(); ok {
				t.Error("the agent took something for acknowledged")
			}
		})
	}
}
