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
	"github.com/musterhq/muster/agent/section/battery"
	"github.com/musterhq/muster/agent/section/cpu"
	"github.com/musterhq/muster/agent/section/display"
	"github.com/musterhq/muster/agent/section/firmware"
	"github.com/musterhq/muster/agent/section/gpu"
	"github.com/musterhq/muster/agent/section/memory"
	"github.com/musterhq/muster/agent/section/operatingsystem"
	"github.com/musterhq/muster/agent/section/profiler"
	"github.com/musterhq/muster/agent/section/registry"
	"github.com/musterhq/muster/agent/section/smbios"
	"github.com/musterhq/muster/agent/section/software"
	"github.com/musterhq/muster/agent/section/storage"
	"github.com/musterhq/muster/agent/section/system"
	"github.com/musterhq/muster/internal/edid"
)

// decodeCommand prints the content of captured tables and lists.
type decodeCommand struct {
	Smbios decodeSMBIOS `cmd:"" name:"smbios" help:"Decode a raw SMBIOS table."`
	Edid   decodeEDID   `cmd:"" name:"edid" help:"Decode the EDID of a display."`

	Uninstall      decodeUninstall      `cmd:"" name:"uninstall" help:"List the software of a registry export of Windows."`
	SystemProfiler decodeSystemProfiler `cmd:"" name:"system-profiler" help:"Decode the output of system_profiler of macOS."`
}

// capture holds the arguments that the decode commands share.
type capture struct {
	File   string `arg:"" help:"The captured file; - reads standard input."`
	Output string `short:"o" enum:"json,table" default:"json" help:"json or table."`
}

// maxCapture bounds a captured file, in bytes. The largest known have a few MB.
const maxCapture = 64 << 20

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

type decodeUninstall struct {
	capture `embed:""`
}

// Help returns the text below the options.
func (decodeUninstall) Help() string {
	return `FILE is an export of one or more Uninstall keys, or of a key above them, as regedit and "reg export"
write it. Texts of the old format (REGEDIT4) are taken for Windows-1252 unless they are UTF-8.

Example:
  reg export HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall machine.reg
  muster-agent decode uninstall machine.reg --output table`
}

// Run decodes the export and prints its software.
func (c decodeUninstall) Run(ctx context.Context, out io.Writer) error {
	data, err := c.read()
	if err != nil {
		return err
	}
	keys, err := registry.Parse(data)
	if err != nil && len(keys) == 0 {
		return fmt.Errorf("decode %s: %w", c.File, err)
	}
	items, absent := software.FromUninstall(ctx, keys)
	err = errors.Join(err, absent)
	return renderDecoded(ctx, out, c.Output, []decoded{{"software", items, err}})
}

type decodeSystemProfiler struct {
	capture `embed:""`
}

// Help returns the text below the options.
func (decodeSystemProfiler) Help() string {
	return `FILE is the output of system_profiler: JSON (-json), a property list (-xml) or English text. The sections
that its data types describe are printed.

Example:
  system_profiler -json SPHardwareDataType SPMemoryDataType SPApplicationsDataType > mac.json
  muster-agent decode system-profiler mac.json`
}

// Run decodes the report and prints its sections.
func (c decodeSystemProfiler) Run(ctx context.Context, out io.Writer) error {
	data, err := c.read()
	if err != nil {
		return err
	}
	report, err := profiler.Parse(data)
	if err != nil {
		return fmt.Errorf("decode %s: %w", c.File, err)
	}
	var found []decoded
	for _, s := range []struct {
		name   string
		decode func(profiler.Report) ([]proto.Message, error)
	}{
		{"system", system.FromProfile},
		{"firmware", firmware.FromProfile},
		{"cpu", cpu.FromProfile},
		{"memory", memory.FromProfile},
		{"storage", storage.FromProfile},
		{"display", display.FromProfile},
		{"os", operatingsystem.FromProfile},
		{"software", software.FromProfile},
		{"gpu", gpu.FromProfile},
		{"battery", battery.FromProfile},
	} {
		items, err := s.decode(report)
		if !errors.Is(err, host.ErrUnsupported) {
			found = append(found, decoded{s.name, items, err})
		}
	}
	if len(found) == 0 {
		return fmt.Errorf("decode %s: none of its data types belongs to a section", c.File)
	}
	return renderDecoded(ctx, out, c.Output, found)
}

// decoded is a section that was decoded from a file.
type decoded struct {
	name  string
	items []proto.Message
	err   error
}

func renderDecoded(ctx context.Context, out io.Writer, format string, found []decoded) error {
	list := make([]section.Collector, len(found))
	for i, d := range found {
		list[i] = section.Collector{Name: d.name, Collect: func(context.Context, *host.Host) ([]proto.Message, error) {
			return d.items, d.err
		}}
	}
	return render(out, format, section.Run(ctx, nil, list))
}
