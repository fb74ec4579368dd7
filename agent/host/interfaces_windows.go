package host

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"unsafe"

	"golang.org/x/sys/windows"
)

// maxAdapters bounds the description of the interfaces, in bytes.
const maxAdapters = 16 << 20

// adapters calls read with each interface. Their descriptions are valid only during the call.
func adapters(read func(*windows.IpAdapterAddresses)) error {
	const flags = windows.GAA_FLAG_INCLUDE_GATEWAYS | windows.GAA_FLAG_SKIP_ANYCAST | windows.GAA_FLAG_SKIP_MULTICAST
	for size := uint32(64 << 10); ; {
		buf := make([]byte, size) // of bytes for the reason in services
		first := (*windows.IpAdapterAddresses)(unsafe.Pointer(&buf[0]))
		err := windows.GetAdaptersAddresses(windows.AF_UNSPEC, flags, 0, first, &size)
		if errors.Is(err, windows.ERROR_BUFFER_OVERFLOW) && size < maxAdapters {
			size += 4096 // another interface may appear meanwhile
			continue
		}
		if errors.Is(err, windows.ERROR_NO_DATA) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("list interfaces: %w", err)
		}
		for a := first; a != nil; a = a.Next {
			read(a)
		}
		runtime.KeepAlive(buf)
		return nil
	}
}

func interfaces() ([]Interface, error) {
	var found []Interface
	err := adapters(func(a *windows.IpAdapterAddresses) { found = append(found, interfaceOf(a)) })
	return found, err
}

func interfaceOf(a *windows.IpAdapterAddresses) Interface {
	length := min(a.PhysicalAddressLength, uint32(len(a.PhysicalAddress)))
	i := Interface{
		Index:    indexOf(a),
		Name:     windows.UTF16PtrToString(a.FriendlyName),
		MAC:      net.HardwareAddr(a.PhysicalAddress[:length]).String(),
		Up:       a.OperStatus == windows.IfOperStatusUp,
		Loopback: a.IfType == windows.IF_TYPE_SOFTWARE_LOOPBACK,
		Tunnel:   a.IfType == windows.IF_TYPE_TUNNEL || a.IfType == windows.IF_TYPE_PPP,
		ID:       windows.BytePtrToString(a.AdapterName),
		Type:     a.IfType,
		Metric:   a.Ipv4Metric,
	}
	if a.Mtu < 1<<31 { // the loopback has the largest number
		i.MTU = int(a.Mtu)
	}
	if speed := a.TransmitLinkSpeed; speed != 1<<64-1 {
		i.SpeedBits = speed
	}
	for g := a.FirstGatewayAddress; g != nil; g = g.Next {
		i.Gateways = appendAddress(i.Gateways, &g.Address)
	}
	for s := a.FirstDnsServerAddress; s != nil; s = s.Next {
		i.NameServers = appendAddress(i.NameServers, &s.Address)
	}
	row := windows.MibIfRow2{InterfaceLuid: a.Luid}
	if windows.GetIfEntry2Ex(windows.MibIfTableNormalWithoutStatistics, &row) == nil {
		i.Hardware = new(row.InterfaceAndOperStatusFlags&1 != 0) // HardwareInterface
		length = min(row.PhysicalAddressLength, uint32(len(row.PermanentPhysicalAddress)))
		i.PermanentMAC = net.HardwareAddr(row.PermanentPhysicalAddress[:length]).String()
	}
	return i
}

// indexOf returns the index of the IPv4 interface, which usually is that of IPv6 also.
func indexOf(a *windows.IpAdapterAddresses) int {
	if a.IfIndex != 0 {
		return int(a.IfIndex)
	}
	return int(a.Ipv6IfIndex)
}

// appendAddress leaves out the site-local name servers that Windows adds where there is none.
func appendAddress(list []netip.Addr, address *windows.SocketAddress) []netip.Addr {
	ip, ok := netip.AddrFromSlice(address.IP())
	if !ok || siteLocal.Contains(ip) {
		return list
	}
	return append(list, ip.Unmap())
}

// siteLocal is a deprecated range of addresses (RFC 3879).
var siteLocal = netip.MustParsePrefix("fec0::/10")

func interfaceAddresses() ([]InterfaceAddress, error) {
	var addresses []InterfaceAddress
	err := adapters(func(a *windows.IpAdapterAddresses) {
		for u := a.FirstUnicastAddress; u != nil; u = u.Next {
			ip, ok := netip.AddrFromSlice(u.Address.IP())
			if !ok {
				continue
			}
			addresses = append(addresses, InterfaceAddress{
				Index:      indexOf(a),
				Prefix:     netip.PrefixFrom(ip, int(u.OnLinkPrefixLength)),
				Temporary:  ip.Is6() && u.SuffixOrigin == windows.IpSuffixOriginRandom,
				Tentative:  u.DadState < windows.IpDadStateDeprecated,
				Deprecated: u.DadState == windows.IpDadStateDeprecated,
			})
		}
	})
	return addresses, err
}

func linkKinds() (map[string]string, error) {
	return nil, fmt.Errorf("kinds of network interfaces: %w", ErrUnsupported)
}

func permanentMAC(string) (string, error) {
	return "", fmt.Errorf("permanent address by name: %w", ErrUnsupported)
}

// The layout of MIB_IPNET_ROW2, in bytes (Microsoft, netioapi.h).
const (
	neighborSize   = 88
	neighborIndex  = 28
	neighborMAC    = 40
	neighborLength = 72
	neighborState  = 76
)

// reachable is the lowest state of a neighbor with a known hardware address (NL_NEIGHBOR_STATE).
const reachable = 2

func neighbors() ([]Neighbor, error) {
	library := windows.NewLazySystemDLL("iphlpapi.dll")
	get, free := library.NewProc("GetIpNetTable2"), library.NewProc("FreeMibTable")
	if err := errors.Join(get.Find(), free.Find()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	var table *struct {
		count uint32
		_     uint32
		first [neighborSize]byte
	}
	result, _, _ := get.Call(windows.AF_UNSPEC, uintptr(unsafe.Pointer(&table)))
	if result != 0 || table == nil {
		return nil, fmt.Errorf("list neighbors: %w", windows.Errno(result))
	}
	defer func() { _, _, _ = free.Call(uintptr(unsafe.Pointer(table))) }()
	var found []Neighbor
	for _, row := range unsafe.Slice(&table.first, table.count) {
		if n, ok := neighborOf(row[:]); ok {
			found = append(found, n)
		}
	}
	return found, nil
}

func neighborOf(row []byte) (Neighbor, bool) {
	n := Neighbor{Index: int(binary.LittleEndian.Uint32(row[neighborIndex:]))}
	switch binary.LittleEndian.Uint16(row) {
	case windows.AF_INET:
		n.Address = netip.AddrFrom4([4]byte(row[4:8]))
	case windows.AF_INET6:
		n.Address = netip.AddrFrom16([16]byte(row[8:24]))
	default:
		return n, false
	}
	length := binary.LittleEndian.Uint32(row[neighborLength:])
	if length != 6 || binary.LittleEndian.Uint32(row[neighborState:]) < reachable {
		return n, false
	}
	n.MAC = net.HardwareAddr(row[neighborMAC : neighborMAC+6]).String()
	return n, true
}
