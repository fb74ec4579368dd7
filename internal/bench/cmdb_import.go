package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// importPrograms is the number of programs in the imported inventory.
const importPrograms = 3000

// measureImport measures the import of an inventory of another tool, from the bytes of the file to
// the last commit.
func (e *cmdb) measureImport(ctx context.Context) error {
	// The first import of a month creates its partitions.
	if err := e.load(ctx, glpiInventory(0, 1), "created"); err != nil {
		return err
	}
	file := glpiInventory(1, importPrograms)
	for _, part := range []struct{ id, name, outcome string }{
		{"import", "import: an inventory of 3,000 programs", "created"},
		{"import_again", "import: the same again", "unchanged"},
	} {
		var took time.Duration
		spent, err := e.work(ctx, part.name, 1, func() error {
			began := time.Now()
			err := e.load(ctx, file, part.outcome)
			took = time.Since(began)
			return err
		})
		if err != nil {
			return err
		}
		e.report.add(part.id, took.Seconds(), fmt.Sprintf("%.0f ms CPU: %s", spent.cpu(), shares(spent)))
	}
	return nil
}

func (e *cmdb) load(ctx context.Context, file []byte, outcome string) error {
	report, err := e.ingester.Import(ctx, bytes.NewReader(file), inventory.ImportOptions{Format: "glpi-json"})
	if err != nil {
		return err
	}
	if len(report.Documents) != 1 || report.Documents[0].Outcome != outcome {
		return fmt.Errorf("import of one document: got %+[2]v, want outcome %[1]s", outcome, report.Documents)
	}
	return nil
}

// glpiInventory makes up a file of a GLPI agent (inventory_format 0.1).
func glpiInventory(number, programs int) []byte {
	type object = map[string]any
	var list []object
	for i := range programs {
		list = append(list, object{
			"name": fmt.Sprintf("imported-program-%d", i), "version": fmt.Sprintf("%d.%d.1", i%7, i%23),
			"arch": "x86_64", "from": "deb",
			"publisher": fmt.Sprintf("Publisher %d", i%200), "filesize": 1000 + i, "install_date": "2025-03-04",
		})
	}
	file, err := json.Marshal(object{
		"action": "inventory", "itemtype": "Computer",
		"deviceid": fmt.Sprintf("imported-%d-2026-01-01-00-00-00", number),
		"content": object{
			"versionclient": "GLPI-Agent_v1.11",
			"hardware": object{
				"name":         fmt.Sprintf("imported-%d", number),
				"uuid":         fmt.Sprintf("7b1c9e52-04d3-4f6a-9a31-5f0c2d%06x", number),
				"chassis_type": "Laptop",
			},
			"bios": object{"smanufacturer": "Tailspin", "smodel": "Book 15", "ssn": fmt.Sprintf("TS%07d", number)},
			"operatingsystem": object{
				"name": "Debian GNU/Linux", "version": "12", "full_name": "Debian GNU/Linux 12", "arch": "x86_64",
			},
			"networks": []object{{
				"description": "eth0", "mac": fmt.Sprintf("3c:53:00:00:%02x:%02x", number/256, number%256),
				"type": "ethernet", "virtualdev": false,
			}},
			"storages": []object{{
				"name": "nvme0n1", "model": "TS-900", "serial": fmt.Sprintf("TSD%08d", number), "type": "disk",
				"disksize": 512000,
			}},
			"softwares": list,
		},
	})
	if err != nil {
		panic(err) // text and numbers always encode
	}
	return file
}
