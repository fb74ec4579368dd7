package network

import (
	"io"
	"net/netip"
	"slices"
	"strings"

	"github.com/musterhq/muster/agent/host"
)

// resolvedStub is the address of systemd-resolved's stub resolver (systemd-resolved.service(8)).
const resolvedStub = "127.0.0.53"

// nameServers returns the machine's name servers in the order of use. It replaces the stub of
// systemd-resolved by the servers that systemd-resolved uses.
func nameServers(h *host.Host) []string {
	servers := resolvConf(h, "/etc/resolv.conf")
	if slices.Contains(servers, resolvedStub) {
		servers = append(servers, resolvConf(h, "/run/systemd/resolve/resolv.conf")...)
		servers = slices.DeleteFunc(servers, func(server string) bool { return server == resolvedStub })
	}
	return servers
}

// maxResolvConf bounds resolv.conf(5), in bytes.
const maxResolvConf = 64 << 10

func resolvConf(h *host.Host, name string) []string {
	data, err := h.ReadFile(name, maxResolvConf)
	if err != nil {
		return nil
	}
	return parseResolvConf(string(data))
}

func parseResolvConf(text string) []string {
	var servers []string
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != "nameserver" || line[0] != 'n' { // the keyword must start the line
			continue
		}
		if server, err := netip.ParseAddr(f[1]); err == nil && !slices.Contains(servers, server.String()) {
			servers = append(servers, server.String())
		}
	}
	return servers
}

func readUpTo(r io.Reader, limit int64) string {
	data, err := io.ReadAll(io.LimitReader(r, limit))
	if err != nil {
		return ""
	}
	return string(data)
}
