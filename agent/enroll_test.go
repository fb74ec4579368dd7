package main

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/agent/state"
	"github.com/musterhq/muster/internal/inventory"
	"github.com/musterhq/muster/internal/pki"
)

// newIdentity makes an identity whose certificate arrived at the given time and lasts a week.
func newIdentity(t *testing.T, collector string, received time.Time) state.Identity {
	t.Helper()
	authority, err := pki.NewAuthority(received)
	if err != nil {
		t.Fatal(err)
	}
	key, err := pki.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	der, err := authority.IssueAgent(&key.PublicKey, "agent-1", received, 7*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return state.Identity{
		AgentID: "agent-1", Collector: collector, Pin: authority.Pin(), Key: key, Certificate: certificate,
		Authorities: [][]byte{authority.Certificate()}, Received: received,
	}
}

func enrolledDir(t *testing.T, identity state.Identity, status state.Status) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	s, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := replaceIdentity(s, identity); err != nil {
		t.Fatal(err)
	}
	if err := s.SetStatus(status); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

const nobody = "127.0.0.1:1" // no collector listens there

func TestFailedEnrollmentLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	pin := "sha256:" + strings.Repeat("0", 64)
	cases := map[string]struct {
		flags enrollmentFlags
		want  string
	}{
		"nobody there":  {enrollmentFlags{Collector: nobody, Token: "t", CAPin: pin}, "cannot be reached"},
		"no token":      {enrollmentFlags{Collector: nobody, CAPin: pin}, "no enrollment token"},
		"no token file": {enrollmentFlags{Collector: nobody, CAPin: pin, TokenFile: "/nonexistent/token"}, "read token"},
		"no pin":        {enrollmentFlags{Collector: nobody, Token: "t", CAPin: "sha256:"}, "64 lower-case hexadecimal digits"},
		"no collector":  {enrollmentFlags{Token: "t", CAPin: pin}, "set --collector"},
		"no address":    {enrollmentFlags{Collector: "collector", Token: "t", CAPin: pin}, "not HOST:PORT"},
	}
	for name, c := range cases {
		command := enrollCommand{enrollmentFlags: c.flags}
		command.State = filepath.Join(t.TempDir(), "state")
		var out bytes.Buffer
		if err := command.Run(t.Context(), &out); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		if _, err := os.Stat(command.State); err == nil || out.Len() > 0 {
			t.Errorf("%s: something was left behind, or said: %q", name, out.String())
		}
	}
}

func TestEnrollingTwiceIsNotAnError(t *testing.T) {
	t.Parallel()
	identity := newIdentity(t, nobody, time.Now())
	command := enrollCommand{enrollmentFlags: enrollmentFlags{Collector: nobody, Token: "t", CAPin: identity.Pin}}
	command.State = enrolledDir(t, identity, state.Status{})
	var out bytes.Buffer
	if err := command.Run(t.Context(), &out); err != nil || !strings.Contains(out.String(), "already enrolled as agent-1") {
		t.Errorf("same collector: got %v, %q", err, out.String())
	}
	command.Collector = "other.example:8443"
	if err := command.Run(t.Context(), &out); err != nil {
		t.Errorf("another address of the authority: %v", err)
	}
	if moved, err := state.ReadIdentity(command.State); err != nil || moved.Collector != command.Collector || moved.AgentID != "agent-1" {
		t.Errorf("moved to %s as %s: %v", moved.Collector, moved.AgentID, err)
	}
	command.CAPin = "sha256:" + strings.Repeat("0", 64)
	if err := command.Run(t.Context(), &out); err == nil || !strings.Contains(err.Error(), "--force") {
		t.Errorf("another authority: got %v, want a word on --force", err)
	}
	command.Collector, command.Force = nobody, true
	if err := command.Run(t.Context(), &out); err == nil {
		t.Error("enrolled with nobody")
	}
	if still, err := state.ReadIdentity(command.State); err != nil || still.AgentID != "agent-1" {
		t.Errorf("a forced enrollment that failed cost the old identity: %v", err)
	}
}

func TestTokenComesFromAFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("muster_enroll_abc\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	command := enrollmentFlags{Collector: nobody, CAPin: "SHA256:" + strings.Repeat("AB", 32), TokenFile: file}
	e, err := command.enrollment()
	if err != nil || e.Token != "muster_enroll_abc" || e.Pin != "sha256:"+strings.Repeat("ab", 32) {
		t.Errorf("got %+v, %v", e, err)
	}
}

func TestStatusShowsNoSecrets(t *testing.T) {
	t.Parallel()
	received := time.Now().UTC().Truncate(time.Second)
	identity := newIdentity(t, nobody, received)
	dir := enrolledDir(t, identity, state.Status{
		LastAck: received, NextCheckIn: received.Add(time.Hour), LastError: "no route\x1b[31m", LastErrorAt: received,
		Sections: []state.Section{{Section: "software", Status: inventory.StatusOK, Items: 974}},
		Verdicts: []inventory.Verdict{{Section: "software", Item: "dpkg x", Outcome: "truncated", Reason: "too long"}},
	})
	key, err := x509.MarshalPKCS8PrivateKey(identity.Key)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{"json", outputTable} {
		var out bytes.Buffer
		command := statusCommand{Output: form}
		command.State = dir
		if err := command.Run(&out); err == nil || !strings.Contains(err.Error(), "check-in failed") {
			t.Errorf("%s: the last check-in failed: got %v", form, err)
		}
		for _, want := range []string{"agent-1", nobody, identity.Pin, "974", "too long", received.Format(time.RFC3339), "no route"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: %q is missing in\n%s", form, want, out.String())
			}
		}
		if strings.Contains(out.String(), base64.StdEncoding.EncodeToString(key)[:40]) || strings.Contains(out.String(), "\x1b") {
			t.Errorf("%s: it shows the key or what a terminal obeys:\n%s", form, out.String())
		}
	}
}

func TestStatusNotEnrolled(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	command := statusCommand{Output: "json"}
	command.State = filepath.Join(t.TempDir(), "state")
	if err := command.Run(&out); err == nil || !strings.Contains(err.Error(), "not enrolled") {
		t.Errorf("got %v, want an error because the agent is not enrolled", err)
	}
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"enrolled": false}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := os.Stat(command.State); err == nil {
		t.Error("asking made a directory")
	}
}

func TestStatusShowsAnExpiredCertificate(t *testing.T) {
	t.Parallel()
	now := time.Now()
	dir := enrolledDir(t, newIdentity(t, nobody, now.AddDate(0, -1, 0)), state.Status{})
	got, err := readStatus(dir, now)
	if err != nil || !got.Certificate.Expired || !strings.Contains(got.Certificate.describe(), "the next check-in renews it") {
		t.Errorf("got %+v, %v", got.Certificate, err)
	}
}

func TestStatusReportsWhatIsWrong(t *testing.T) {
	t.Parallel()
	now := time.Now()
	acknowledged := state.Status{LastAck: now.Add(-2 * time.Hour), NextCheckIn: now.Add(-30 * time.Minute)}
	overdue := state.Status{LastAck: now.Add(-2 * time.Hour), NextCheckIn: now.Add(-61 * time.Minute)}
	cases := map[string]struct {
		status agentStatus
		want   string
	}{
		"all is well":   {agentStatus{Enrolled: true, Status: acknowledged}, ""},
		"not enrolled":  {agentStatus{}, "not enrolled"},
		"never checked": {agentStatus{Enrolled: true}, "never checked in"},
		"failed":        {agentStatus{Enrolled: true, Status: state.Status{LastError: "x"}}, "failed"},
		"overdue":       {agentStatus{Enrolled: true, Status: overdue}, "overdue"},
	}
	for name, c := range cases {
		err := c.status.problem(now)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}
