package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/inventory"
)

// Devices gives the current attributes of devices.
func (s *Store) Devices(ctx context.Context, cis []string) (map[string]inventory.DeviceFacts, error) {
	if len(cis) == 0 {
		return map[string]inventory.DeviceFacts{}, nil
	}
	rows, err := s.pool.Query(ctx, `
		select ci_id::text, class, name, manufacturer, model, serial_number, uuid, os_name, os_version
		from device
		where ci_id = any($1::uuid[]) and valid_to = 'infinity'`, cis)
	if err != nil {
		return nil, fmt.Errorf("read devices: %w", err)
	}
	devices := make(map[string]inventory.DeviceFacts, len(cis))
	var ci string
	var d inventory.DeviceFacts
	_, err = pgx.ForEachRow(rows, []any{&ci, &d.Class, &d.Name, &d.Manufacturer, &d.Model, &d.SerialNumber, &d.UUID,
		&d.OSName, &d.OSVersion}, func() error {
		devices[ci] = d
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read devices: %w", err)
	}
	return devices, nil
}
