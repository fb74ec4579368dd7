// Package printer collects the section "printer": the print queues of CUPS, from its configuration.
// It never talks to CUPS or to a printer, and never reports the user name and the password that an
// address may contain. Start reading at collect.
package printer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// Collector returns the collector of the section printer.
func Collector() section.Collector {
	return section.Collector{Name: "printer", Collect: collect}
}

const (
	cups     = "/etc/cups"
	printers = cups + "/printers.conf"
)

// maxPrinters bounds printers.conf, in bytes. A print server with 1,000 queues has about 500,000.
const maxPrinters = 8 << 20

func collect(_ context.Context, h *host.Host) ([]proto.Message, error) {
	if h.IsWindows() {
		return collectWindows(h)
	}
	if _, err := h.Stat(cups); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: CUPS is not installed", host.ErrUnsupported)
	}
	text, err := h.ReadFile(printers, maxPrinters)
	if errors.Is(err, fs.ErrNotExist) { // CUPS writes it with the first queue
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	queues, err := parse(string(text))
	items := make([]proto.Message, len(queues))
	for i, queue := range queues {
		if queue.Driver == "" {
			queue.Driver = nickname(h, queue.Name)
		}
		items[i] = queue
	}
	return items, err
}

// parse reads printers.conf(5): lines "Name value" between "<Printer NAME>" or "<DefaultPrinter
// NAME>" and "</Printer>".
func parse(text string) ([]*inventoryv1.Printer, error) {
	var queues []*inventoryv1.Printer
	var queue *inventoryv1.Printer
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case strings.HasPrefix(line, "</"):
			queue = nil
		case line[0] == '<':
			if queue = begin(line); queue != nil {
				queues = append(queues, queue)
			}
		case queue != nil:
			set(queue, line)
		}
	}
	if queue != nil {
		return queues, fmt.Errorf("%s ends within the printer %s", printers, queue.Name)
	}
	return queues, nil
}

func begin(line string) *inventoryv1.Printer {
	kind, name, _ := strings.Cut(strings.Trim(line, "<>"), " ")
	name = strings.TrimSpace(name)
	if kind != "Printer" && kind != "DefaultPrinter" || name == "" {
		return nil
	}
	return &inventoryv1.Printer{Name: name, IsDefault: proto.Bool(kind == "DefaultPrinter")}
}

func set(queue *inventoryv1.Printer, line string) {
	name, value, _ := strings.Cut(line, " ")
	value = strings.TrimSpace(value)
	switch name {
	case "Info":
		queue.Description = value
	case "Location":
		queue.Location = value
	case "MakeModel":
		queue.Driver = value
	case "Shared":
		queue.IsShared = proto.Bool(strings.EqualFold(value, "yes"))
	case "DeviceURI":
		queue.Uri, queue.SerialNumber = public(value)
		queue.IsNetwork = network(queue.Uri)
	}
}

// public removes what may be secret from an address: user name, password and parameters. The
// parameter "serial" is the printer's serial number.
func public(uri string) (address, serial string) {
	address, parameters, _ := strings.Cut(uri, "?")
	if values, err := url.ParseQuery(parameters); err == nil {
		serial = values.Get("serial")
	}
	scheme, rest, found := strings.Cut(address, "://")
	if !found {
		return address, serial
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = rest[at+1:]
	}
	return scheme + "://" + rest, serial
}

// networkSchemes are the CUPS backends by what they connect to.
var networkSchemes = map[string]bool{
	"ipp": true, "ipps": true, "http": true, "https": true, "socket": true, "lpd": true, "smb": true, "dnssd": true,
	"beh": true, "implicitclass": true,
	"usb": false, "parallel": false, "serial": false, "file": false, "cups-pdf": false, "bluetooth": false,
}

// network reports whether the printer is reached over a network, or nil if that is not known. A
// program on this machine may make a USB printer available as ipp://localhost (IPP over USB).
func network(address string) *bool {
	scheme, rest, _ := strings.Cut(address, ":")
	if scheme == "hp" { // hp:/net/…, hp:/usb/…
		return proto.Bool(strings.HasPrefix(rest, "/net/"))
	}
	remote, known := networkSchemes[strings.ToLower(scheme)]
	if !known {
		return nil
	}
	rest = strings.TrimPrefix(rest, "//")
	return proto.Bool(remote && !strings.HasPrefix(rest, "localhost") && !strings.HasPrefix(rest, "127.0.0.1"))
}

// maxHeader bounds the part of a PPD file that is read, in bytes. The names are near its beginning.
const maxHeader = 16 << 10

// nickname returns the name of a queue's driver from its PPD file, or "" if there is none.
func nickname(h *host.Host, queue string) string {
	if strings.Contains(queue, "/") {
		return ""
	}
	// An error means that the file is longer than the buffer, or does not exist.
	header, _ := h.ReadInto(cups+"/ppd/"+queue+".ppd", make([]byte, maxHeader))
	for line := range strings.Lines(string(header)) {
		if name, found := strings.CutPrefix(line, "*NickName:"); found {
			return strings.Trim(strings.TrimSpace(name), `"`)
		}
	}
	return ""
}
