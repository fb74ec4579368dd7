package printer

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/usb"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Registry keys of the spooler. It names a queue on a server by a key `,,server,printer`, because a
// key's name cannot contain a backslash.
const (
	spooler     = `HKLM\SYSTEM\CurrentControlSet\Control\Print`
	queuesKey   = spooler + `\Printers`
	machineWide = spooler + `\Connections`
	networkPort = spooler + `\Monitors\Standard TCP/IP Port\Ports\`
	// remoteProvider has a subkey for each person who uses queues of servers, also while the person
	// is not logged on, and one for the servers.
	remoteProvider = `HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Print\Providers` +
		`\Client Side Rendering Print Provider`
)

// Attributes of a queue (Microsoft, PRINTER_INFO_2).
const (
	shared     = 0x8
	redirected = 0x8000 // of the machine from which a person works; it ends with the session
)

// collectWindows reads the queues of the machine, and those on servers that a person or all people
// use. Which queue is the default is left out: each person has another one.
func collectWindows(h *host.Host) ([]proto.Message, error) {
	s := windowsSurvey{host: h}
	for _, name := range s.subKeys(queuesKey) {
		if key, ok := s.key(queuesKey + `\` + name); ok {
			s.addQueue(name, key)
		}
	}
	s.addConnections(machineWide)
	for _, name := range s.subKeys(remoteProvider) {
		if strings.HasPrefix(name, "S-1-") {
			s.addConnections(remoteProvider + `\` + name + `\Printers\Connections`)
		}
	}
	items := make([]proto.Message, len(s.queues))
	for i, queue := range s.queues {
		items[i] = queue
	}
	return items, errors.Join(s.errs...)
}

// windowsSurvey is one collection.
type windowsSurvey struct {
	host    *host.Host
	queues  []*inventoryv1.Printer
	serials map[string]string // by port in lower case; nil: not read yet
	errs    []error
}

// key reports whether the key exists and can be read.
func (s *windowsSurvey) key(path string) (host.RegistryKey, bool) {
	key, err := s.host.RegistryKey(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.errs = append(s.errs, err)
	}
	return key, err == nil
}

func (s *windowsSurvey) subKeys(path string) []string {
	key, _ := s.key(path)
	slices.Sort(key.SubKeys)
	return key.SubKeys
}

func (s *windowsSurvey) addQueue(name string, key host.RegistryKey) {
	attributes, _ := key.Number("Attributes")
	if attributes&redirected != 0 {
		return
	}
	port := key.Text("Port")
	queue := &inventoryv1.Printer{
		Name:        cmp.Or(key.Text("Name"), name),
		Driver:      key.Text("Printer Driver"),
		Description: key.Text("Description"),
		Location:    key.Text("Location"),
		IsShared:    proto.Bool(attributes&shared != 0),
	}
	queue.Uri, queue.IsNetwork = s.address(port)
	if strings.HasPrefix(strings.ToUpper(port), "USB") {
		if s.serials == nil {
			s.serials = s.usbSerials()
		}
		queue.SerialNumber = s.serials[strings.ToLower(port)]
	}
	s.queues = append(s.queues, queue)
}

// localPorts are the ports of the machine itself, or of programs, by the beginning of their names.
var localPorts = []string{"USB", "LPT", "COM", "FILE:", "PORTPROMPT:", "NUL:", "SHRFAX:", "DOT4"}

// address returns the address of a port, and whether it is reached over a network, or nil if that
// is not known.
func (s *windowsSurvey) address(port string) (uri string, network *bool) {
	if key, ok := s.key(networkPort + port); ok && port != "" {
		server := cmp.Or(key.Text("HostName"), key.Text("IPAddress"))
		number, _ := key.Number("PortNumber")
		const lpr = 2
		switch protocol, _ := key.Number("Protocol"); {
		case server == "":
			return port, proto.Bool(true)
		case protocol == lpr:
			return "lpd://" + server + "/" + key.Text("Queue"), proto.Bool(true)
		default:
			return "socket://" + server + ":" + strconv.FormatUint(number, 10), proto.Bool(true)
		}
	}
	upper := strings.ToUpper(port)
	switch {
	case strings.HasPrefix(port, `\\`), strings.HasPrefix(upper, "WSD"):
		return port, proto.Bool(true)
	case strings.Contains(port, "://"):
		uri, _ = public(port)
		return uri, proto.Bool(true)
	case slices.ContainsFunc(localPorts, func(local string) bool { return strings.HasPrefix(upper, local) }):
		return port, proto.Bool(false)
	default:
		return port, nil
	}
}

// addConnections adds the queues on servers below a key, each once.
func (s *windowsSurvey) addConnections(path string) {
	for _, name := range s.subKeys(path) {
		server, queue, found := strings.Cut(strings.TrimLeft(name, ","), ",")
		if !found {
			continue
		}
		address := `\\` + server + `\` + queue
		same := func(q *inventoryv1.Printer) bool { return strings.EqualFold(q.Name, address) }
		if slices.ContainsFunc(s.queues, same) {
			continue
		}
		item := &inventoryv1.Printer{Name: address, Uri: address, IsNetwork: proto.Bool(true)}
		connection, _ := s.key(path + `\` + name)
		if id := connection.Text("GuidPrinter"); id != "" {
			key, _ := s.key(remoteProvider + `\Servers\` + server + `\Printers\` + id)
			item.Driver, item.Description = key.Text("Printer Driver"), key.Text("Description")
			item.Location = key.Text("Location")
		}
		s.queues = append(s.queues, item)
	}
}

// usbSerials returns the serial numbers of USB printers by port. A printer's instance begins with
// the prefix that the USB device above it, or its interface, has for what is below.
func (s *windowsSurvey) usbSerials() map[string]string {
	above := map[string]string{} // last part of an instance, by the prefix for what is below
	s.eachDevice("USB", func(_, last string, key host.RegistryKey) {
		if prefix := key.Text("ParentIdPrefix"); prefix != "" {
			above[strings.ToLower(prefix)] = last
		}
	})
	serials := map[string]string{}
	s.eachDevice("USBPRINT", func(path, last string, _ host.RegistryKey) {
		parameters, _ := s.key(path + `\Device Parameters`)
		port := strings.ToLower(parameters.Text("PortName"))
		for range 2 { // the interface of a device with several functions, then the device
			end := strings.LastIndexByte(last, '&')
			if end < 0 {
				break
			}
			last = above[strings.ToLower(last[:end])]
			if serial := usb.Serial(last); serial != "" && port != "" {
				serials[port] = serial
				break
			}
		}
	})
	return serials
}

// eachDevice calls read with each device that was ever on a bus.
func (s *windowsSurvey) eachDevice(bus string, read func(path, last string, key host.RegistryKey)) {
	for _, kind := range s.subKeys(host.DeviceKey + bus) {
		for _, last := range s.subKeys(host.DeviceKey + bus + `\` + kind) {
			path := host.DeviceKey + bus + `\` + kind + `\` + last
			if key, ok := s.key(path); ok {
				read(path, last, key)
			}
		}
	}
}
