package link_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/pki"
	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// birth is the start of every authority in these tests, and the start of their clocks.
var birth = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const (
	goodToken     = "muster_enroll_good"
	agentLifetime = 7 * 24 * time.Hour
)

// held is what the collector holds of one section.
type held struct {
	root     inventory.Root
	facts    map[wire.Hash]string
	readings map[uint64]string
}

// record is what the collector holds for one key.
type record struct {
	agentID  string
	root     inventory.Root
	sections map[string]*held
	token    []byte
	before   []byte // the previous token
	revoked  bool
}

// collector is an in-memory collector that implements sync.proto. Its fields change its behavior
// for one test.
type collector struct {
	inventoryv1.UnimplementedEnrollmentServer
	inventoryv1.UnimplementedInventoryServer

	authority *pki.Authority
	address   string

	mu        sync.Mutex
	clock     time.Time
	records   map[[32]byte]*record
	agents    int
	calls     []string               // the RPCs that arrived
	received  []*inventoryv1.CheckIn // the check-ins that arrived
	updates   []*inventoryv1.Update  // without their items
	next      uint32                 // seconds until the next check-in
	dropAck   bool                   // once: commit, then break the stream instead of acknowledging
	wantAll   bool                   // want everything forever
	distrust  int                    // number of updates that fail to verify
	rekey     string                 // once: ask for a new key, for this reason
	verdicts  []*inventoryv1.Verdict
	answer    *inventoryv1.EnrollResponse     // instead of the correct one
	say       []*inventoryv1.CollectorMessage // sent before everything else
	readings  bool                            // want readings when they are due
	collect   chan struct{}                   // each value asks an idle agent to collect now
	committed chan struct{}
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	authority, err := pki.NewAuthority(birth)
	if err != nil {
		t.Fatal(err)
	}
	c := &collector{
		authority: authority, clock: birth, records: map[[32]byte]*record{}, next: 3600,
		collect: make(chan struct{}), committed: make(chan struct{}, 100),
	}
	certificate, err := authority.IssueServer(nil, nil, birth, 10*365*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	c.address = c.serve(t, certificate)
	return c
}

// serve listens with a certificate and returns the address.
func (c *collector) serve(t *testing.T, certificate tls.Certificate) string {
	t.Helper()
	pool, err := pki.Pool(c.authority.Certificate())
	if err != nil {
		t.Fatal(err)
	}
	config := pki.ServerTLS(certificate, pool)
	config.Time = c.now
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(config)), grpc.MaxRecvMsgSize(1<<20))
	inventoryv1.RegisterEnrollmentServer(server, c)
	inventoryv1.RegisterInventoryServer(server, c)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

func (c *collector) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.clock
}

// with changes the collector, possibly during a call.
func (c *collector) with(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

func (c *collector) Enroll(_ context.Context, req *inventoryv1.EnrollRequest) (*inventoryv1.EnrollResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, "Enroll")
	if c.answer != nil {
		return c.answer, nil
	}
	if req.GetToken() != goodToken {
		return nil, status.Error(codes.Unauthenticated, "the enrollment token is unknown, expired or used up")
	}
	der, agentID, err := c.admit(req.GetCsr())
	if err != nil {
		return nil, err
	}
	return &inventoryv1.EnrollResponse{Certificate: der, Authorities: [][]byte{c.authority.Certificate()}, AgentId: agentID}, nil
}

func (c *collector) admit(csr []byte) (der []byte, agentID string, err error) {
	key, err := pki.ParseCSR(csr)
	if err != nil {
		return nil, "", status.Error(codes.InvalidArgument, err.Error())
	}
	c.agents++
	agentID = "agent-" + string(rune('0'+c.agents))
	c.records[pki.KeyID(key)] = &record{agentID: agentID, sections: map[string]*held{}}
	der, err = c.authority.IssueAgent(key, agentID, c.clock, agentLifetime)
	return der, agentID, err
}

func (c *collector) Challenge(context.Context, *inventoryv1.ChallengeRequest) (*inventoryv1.ChallengeResponse, error) {
	return &inventoryv1.ChallengeResponse{Nonce: c.authority.Nonce(c.now())}, nil
}

func (c *collector) Renew(_ context.Context, req *inventoryv1.RenewRequest) (*inventoryv1.RenewResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, "Renew")
	if err := c.authority.CheckNonce(req.GetNonce(), c.clock); err != nil {
		return nil, status.Error(codes.Unauthenticated, err.Error())
	}
	key, err := pki.CheckRenew(req.GetPublicKey(), req.GetNonce(), req.GetSignature())
	if err != nil {
		return nil, status.Error(codes.Unauthenticated, err.Error())
	}
	r := c.records[pki.KeyID(key)]
	if r == nil || r.revoked {
		return nil, status.Error(codes.PermissionDenied, "this agent's key was revoked")
	}
	der, err := c.authority.IssueAgent(key, r.agentID, c.clock, agentLifetime)
	return &inventoryv1.RenewResponse{Certificate: der, Authorities: [][]byte{c.authority.Certificate()}}, err
}

// caller returns the record of the key that the connection proved.
func (c *collector) caller(ctx context.Context) (*record, error) {
	p, _ := peer.FromContext(ctx)
	chains := p.AuthInfo.(credentials.TLSInfo).State.VerifiedChains
	if len(chains) == 0 {
		return nil, status.Error(codes.Unauthenticated, "no certificate")
	}
	key, err := pki.KeyOf(chains[0][0])
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.records[pki.KeyID(key)]
	if r == nil || r.revoked {
		return nil, status.Error(codes.PermissionDenied, "this agent's key was revoked")
	}
	return r, nil
}

func (c *collector) Rekey(ctx context.Context, req *inventoryv1.RekeyRequest) (*inventoryv1.RekeyResponse, error) {
	if _, err := c.caller(ctx); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, "Rekey")
	der, agentID, err := c.admit(req.GetCsr())
	return &inventoryv1.RekeyResponse{Certificate: der, AgentId: agentID}, err
}

type syncStream = grpc.BidiStreamingServer[inventoryv1.AgentMessage, inventoryv1.CollectorMessage]

func (c *collector) Sync(stream syncStream) error {
	r, err := c.caller(stream.Context())
	if err != nil {
		return err
	}
	for _, m := range c.say {
		if err := stream.Send(m); err != nil {
			return err
		}
	}
	from := make(chan *inventoryv1.AgentMessage)
	go func() {
		defer close(from)
		for {
			m, err := stream.Recv()
			if err != nil {
				return
			}
			select {
			case from <- m:
			case <-stream.Context().Done():
				return
			}
		}
	}()
	s := &session{collector: c, record: r, stream: stream}
	for {
		select {
		case m, ok := <-from:
			if !ok {
				return nil
			}
			if err := s.handle(m); err != nil {
				return err
			}
		case <-c.collect:
			if err := stream.Send(&inventoryv1.CollectorMessage{Kind: &inventoryv1.CollectorMessage_CollectNow{CollectNow: &inventoryv1.CollectNow{}}}); err != nil {
				return err
			}
		}
	}
}

// session is one stream of the collector.
type session struct {
	collector *collector
	record    *record
	stream    syncStream
	checkIn   *inventoryv1.CheckIn
	parts     []*inventoryv1.Update
}

func (s *session) handle(m *inventoryv1.AgentMessage) error {
	s.collector.mu.Lock()
	defer s.collector.mu.Unlock()
	switch kind := m.GetKind().(type) {
	case *inventoryv1.AgentMessage_CheckIn:
		s.collector.received = append(s.collector.received, kind.CheckIn)
		s.checkIn = kind.CheckIn
		return s.decide()
	case *inventoryv1.AgentMessage_Update:
		s.parts = append(s.parts, kind.Update)
		return nil
	case *inventoryv1.AgentMessage_Commit:
		return s.commit()
	default:
		return status.Error(codes.InvalidArgument, "unknown message")
	}
}

// decide wants what is missing, or acknowledges.
func (s *session) decide() error {
	if reason := s.collector.rekey; reason != "" {
		s.collector.rekey = ""
		return s.stream.Send(&inventoryv1.CollectorMessage{Kind: &inventoryv1.CollectorMessage_Rekey{Rekey: &inventoryv1.Rekey{Reason: reason}}})
	}
	known := bytes.Equal(s.checkIn.GetToken(), s.record.token) || bytes.Equal(s.checkIn.GetToken(), s.record.before)
	same := bytes.Equal(s.checkIn.GetInventoryRoot(), s.record.root[:])
	if len(s.checkIn.GetSections()) == 0 && (!same || !known) {
		return s.want(&inventoryv1.Want{Summaries: true})
	}
	want := &inventoryv1.Want{Readings: s.checkIn.GetReadingsDue() && s.collector.readings}
	for _, summary := range s.checkIn.GetSections() {
		h := s.record.sections[summary.GetSection()]
		switch {
		case len(summary.GetRoot()) == 0:
		case h == nil:
			want.Sections = append(want.Sections, &inventoryv1.WantSection{Section: summary.GetSection()})
		case !bytes.Equal(h.root[:], summary.GetRoot()):
			want.Sections = append(want.Sections, &inventoryv1.WantSection{Section: summary.GetSection(), BaseRoot: h.root[:]})
		}
	}
	if len(want.GetSections()) > 0 || want.GetReadings() || s.collector.wantAll {
		return s.want(want)
	}
	return s.ack(len(s.checkIn.GetSections()) > 0)
}

func (s *session) want(w *inventoryv1.Want) error {
	return s.stream.Send(&inventoryv1.CollectorMessage{Kind: &inventoryv1.CollectorMessage_Want{Want: w}})
}

// commit applies the updates. It wants each section that fails to verify once more, whole.
func (s *session) commit() error {
	again := &inventoryv1.Want{}
	gathered := map[string][]*inventoryv1.Update{}
	for _, part := range s.parts {
		gathered[part.GetSection()] = append(gathered[part.GetSection()], part)
	}
	for section, parts := range gathered {
		if err := s.apply(section, parts); err != nil {
			again.Sections = append(again.Sections, &inventoryv1.WantSection{Section: section})
		}
	}
	s.parts = nil
	if s.collector.wantAll {
		return s.want(&inventoryv1.Want{Sections: []*inventoryv1.WantSection{{Section: "software"}}})
	}
	if len(again.GetSections()) > 0 {
		return s.want(again)
	}
	return s.ack(true)
}

var errWrong = errors.New("it does not come out right")

func (s *session) apply(section string, parts []*inventoryv1.Update) error {
	h := s.record.sections[section]
	if h == nil || (len(parts[0].GetBaseRoot()) == 0 && !parts[0].GetReadingsOnly()) {
		h = &held{facts: map[wire.Hash]string{}, readings: map[uint64]string{}}
	} else if base := parts[0].GetBaseRoot(); len(base) > 0 && !bytes.Equal(base, h.root[:]) {
		return errWrong
	}
	for i, part := range parts {
		if part.GetLast() != (i == len(parts)-1) || !bytes.Equal(part.GetRoot(), parts[0].GetRoot()) {
			return status.Error(codes.InvalidArgument, "chunks out of order")
		}
		if err := h.add(section, part.GetItems()); err != nil {
			return err
		}
		part.Items = nil
		s.collector.updates = append(s.collector.updates, part)
	}
	if s.collector.distrust > 0 {
		s.collector.distrust--
		return errWrong
	}
	if !parts[0].GetReadingsOnly() && !bytes.Equal(h.root[:], parts[0].GetRoot()) {
		return errWrong
	}
	s.record.sections[section] = h
	return nil
}

func (h *held) add(section string, packed []byte) error {
	reader, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(512<<10))
	if err != nil {
		return err
	}
	defer reader.Close()
	raw, err := reader.DecodeAll(packed, nil)
	if err != nil {
		return err
	}
	var items inventoryv1.Items
	if err := proto.Unmarshal(raw, &items); err != nil {
		return err
	}
	kind, _ := wire.Lookup(section)
	for _, facts := range items.GetRemoved() {
		hash := wire.HashOf(facts)
		if _, ok := h.facts[hash]; !ok {
			return errWrong
		}
		delete(h.facts, hash)
		h.root = hash.RemoveFrom(h.root)
	}
	for _, item := range items.GetAdded() {
		hash := wire.HashOf(item.GetFacts())
		h.facts[hash] = string(item.GetFacts())
		h.root = hash.AddTo(h.root)
		m, err := kind.Decode(item.GetFacts())
		if err != nil {
			return err
		}
		if len(item.GetReadings()) > 0 {
			h.readings[uint64(kind.KeyHash(m))] = string(item.GetReadings())
		}
	}
	for _, reading := range items.GetReadings() {
		h.readings[reading.GetKeyHash()] = string(reading.GetReadings())
	}
	return nil
}

// ack commits, issues a new ratchet token if something changed, and acknowledges.
func (s *session) ack(changed bool) error {
	ack := &inventoryv1.Ack{NextCheckInSeconds: s.collector.next, Verdicts: s.collector.verdicts}
	ack.ReadingsAccepted = s.checkIn.GetReadingsDue() && s.collector.readings
	if changed {
		s.record.root = inventory.Root(s.checkIn.GetInventoryRoot())
		s.record.before = s.checkIn.GetToken()
		s.record.token = append([]byte("token-"), byte('0'+len(s.collector.received)))
		ack.Token = s.record.token
	}
	if s.collector.dropAck {
		s.collector.dropAck = false
		return status.Error(codes.Unavailable, "the collector is stopping")
	}
	s.collector.committed <- struct{}{}
	return s.stream.Send(&inventoryv1.CollectorMessage{Kind: &inventoryv1.CollectorMessage_Ack{Ack: ack}})
}

// facts returns what the collector holds of a section, sorted; nil if it holds nothing.
func (c *collector) facts(agentID, section string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.records {
		if h := r.sections[section]; r.agentID == agentID && h != nil {
			facts := make([]string, 0, len(h.facts))
			for _, f := range h.facts {
				facts = append(facts, f)
			}
			slices.Sort(facts)
			return facts
		}
	}
	return nil
}

func mustIssue(t *testing.T, authority *pki.Authority) tls.Certificate {
	t.Helper()
	certificate, err := authority.IssueServer(nil, nil, birth, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}
