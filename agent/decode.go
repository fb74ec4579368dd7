package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
	"github.com/musterhq/muster/agent/section/cpu"
	"github.com/musterhq/muster/agent/section/display"
	"github.com/musterhq/muster/agent/section/firmware"
	"github.com/musterhq/muster/agent/section/memory"
	"github.com/musterhq/muster/agent/section/smbios"
	"github.com/musterhq/muster/agent/section/system"
	"github.com/musterhq/muster/internal/edid"
)

// decodeCommand prints the content of captured tables.
type decodeCommand struct {
	Smbios decodeSMBIOS `cmd:"" name:"smbios" help:"Decode a raw SMBIOS table."`
	Edid   decodeEDID   `cmd:"" name:"edid" help:"Decode the EDID of a display."`
}

// capture holds the arguments that the decode commands share.
type capture struct {
	File   string `arg:"" help:"The captured file; - reads standard input."`
	Output string `short:"o" enum:"json,table" default:"json" help:"json or table."`
}

// maxCapture bounds a captured file, in bytes. The largest tables known have about 100 KiB.
const maxCapture = 16 << 20

func (c capture) read() ([]byte, error) {
	in := os.Stdin
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxCapture+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", c.File, err)
	}
	if len(data) > maxCapture {
		return nil, fmt.Errorf("read %s: more than %d bytes", c.File, maxCapture)
	}
	return data, nil
}

type decodeSMBIOS struct {
	capture `embed:""`
}

// Help returns the text below the options.
func (decodeSMBIOS) Help() string {
	return `FILE is a copy of /sys/firmware/dmi/tables/DMI, the result of GetSystemFirmwareTable('RSMB') on Windows, or
a dump of dmidecode. If the directory of a DMI file contains smbios_entry_point, the version is read from it.

Example:
  cp -r /sys/firmware/dmi/tables captured && muster-agent decode smbios captured/DMI`
}

// Run decodes the table and prints its sections.
func (c decodeSMBIOS) Run(ctx context.Context, out io.Writer) error {
	data, err := c.read()
	if err != nil {
		return err
	}
	var entryPoint []byte
	if c.File != "-" {
		entryPoint, err = os.ReadFile(filepath.Join(filepath.Dir(c.File), "smbios_entry_point"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	table, err := smbios.Parse(data, entryPoint)
	if err != nil && !errors.Is(err, smbios.ErrIncomplete) {
		return fmt.Errorf("decode %s: %w", c.File, err)
	}
	of := func(name string, decode func(*smbios.Table, error) ([]proto.Message, error)) section.Collector {
		return section.Collector{Name: name, Collect: func(context.Context, *host.Host) ([]proto.Message, error) {
			return decode(&table, err)
		}}
	}
	return render(out, c.Output, section.Run(ctx, nil, []section.Collector{
		of("system", system.FromTable),
		of("firmware", firmware.FromTable),
		of("cpu", cpu.FromTable),
		of("memory", memory.FromTable),
	}))
}

type decodeEDID struct {
	capture `embed:""`
}

// Help returns the text below the options.
func (decodeEDID) Help() string {
	return `FILE is a copy of /sys/class/drm/*/edid, or of the value EDID of a display in the registry of Windows.

Example:
  muster-agent decode edid - < /sys/class/drm/card0-HDMI-A-1/edid`
}

// Run decodes the EDID and prints its section.
func (c decodeEDID) Run(ctx context.Context, out io.Writer) error {
	data, err := c.read()
	if err != nil {
		return err
	}
	items, err := display.FromEDID(data)
	if err != nil && (len(items) == 0 || !errors.Is(err, edid.ErrIncomplete)) {
		return fmt.Errorf("decode %s: %w", c.File, err)
	}
	collect := func(context.Context, *host.Host) ([]proto.Message, error) { return items, err }
	return render(out, c.Output, section.Run(ctx, nil, []section.Collector{{Name: "display", Collect: collect}}))
}
