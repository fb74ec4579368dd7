// Package management collects the section "management": the directory service that the machine is
// joined to, and the services that manage its devices, configuration and subscriptions. It reads
// configuration files, and on macOS asks the system's own commands. It never contacts a service and
// never reports a password, key or token. Start reading at sources.
package management

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Collector returns the collector of the section management.
func Collector() section.Collector {
	return section.Collector{Name: "management", Collect: collect}
}

// sources are in order of precedence: of two items with one key, the first is kept.
var sources = []func(s *survey){sssd, winbind, himmelblau, nslcd, kerberos, agents}

// survey is one collection.
type survey struct {
	host  *host.Host
	items []*inventoryv1.Management
	errs  []error
}

func collect(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	if h.IsWindows() {
		return collectWindows(h)
	}
	s := &survey{host: h}
	if h.IsMac() {
		collectMac(ctx, s)
	} else if err := h.RequireLinux(); err != nil {
		return nil, err
	} else {
		for _, source := range sources {
			source(s)
		}
	}
	return s.messages(), errors.Join(s.errs...)
}

func (s *survey) messages() []proto.Message {
	items := make([]proto.Message, len(s.items))
	for i, item := range s.items {
		items[i] = item
	}
	return items
}

func (s *survey) add(item *inventoryv1.Management) {
	item.Domain = strings.ToLower(item.Domain)
	for _, other := range s.items {
		if other.Type == item.Type && other.Provider == item.Provider && other.Domain == item.Domain {
			return
		}
	}
	s.items = append(s.items, item)
}

// maxConfiguration bounds a configuration file, in bytes.
const maxConfiguration = 1 << 20

// read returns "" if the file does not exist.
func (s *survey) read(name string) string {
	text, err := s.host.ReadFile(name, maxConfiguration)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.errs = append(s.errs, err)
	}
	return string(text)
}

func (s *survey) exists(name string) bool {
	_, err := s.host.Stat(name)
	return err == nil
}

// presence returns nil if the agent may not look the file up.
func (s *survey) presence(name string) *bool {
	_, err := s.host.Stat(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return proto.Bool(err == nil)
}
