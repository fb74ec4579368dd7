package host

import (
	"log/slog"
	"strings"

	"github.com/jaypipes/ghw"
	"github.com/jaypipes/ghw/pkg/pci"
	"github.com/jaypipes/ghw/pkg/tpm"
	"github.com/jaypipes/pcidb"
)

// ghwOptions make ghw read the tree at root and nothing else: no database of names, which would
// cost 20 MiB and is the collector's task, no topology, which only NUMA nodes need, and no log.
func ghwOptions(root string) []any {
	return []any{
		ghw.WithChroot(root),
		ghw.WithPCIDB(&pcidb.PCIDB{}),
		ghw.WithDisableTopology(),
		ghw.WithDisableTools(),
		ghw.WithLogger(slog.New(slog.DiscardHandler)),
	}
}

func pciList(root string) ([]PCIDevice, error) {
	info, err := pci.New(ghwOptions(root)...)
	if err != nil {
		return nil, err
	}
	devices := make([]PCIDevice, len(info.Devices))
	for i, d := range info.Devices {
		devices[i] = PCIDevice{
			Address:  d.Address,
			VendorID: d.Vendor.ID,
			DeviceID: d.Product.ID,
			Class:    d.Class.ID + d.Subclass.ID + d.ProgrammingInterface.ID,
			Revision: strings.TrimPrefix(d.Revision, "0x"),
			Driver:   d.Driver,
		}
		if d.Subsystem.VendorID != "0000" { // bridges and old devices have no subsystem
			devices[i].SubsystemVendorID, devices[i].SubsystemID = d.Subsystem.VendorID, d.Subsystem.ID
		}
	}
	return devices, nil
}

func tpmList(root string) ([]TPM, error) {
	info, err := tpm.New(ghwOptions(root)...)
	if err != nil {
		return nil, err
	}
	modules := make([]TPM, len(info.Devices))
	for i, d := range info.Devices {
		modules[i] = TPM{SpecVersion: d.SpecVersion, Manufacturer: d.ManufacturerName, Firmware: d.FirmwareVersion}
	}
	return modules, nil
}
