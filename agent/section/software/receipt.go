package software

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/plist"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// receiptFolders are where the installer of macOS records packages: its own and, since version 11,
// those of the system.
var receiptFolders = []string{"/var/db/receipts", "/Library/Apple/System/Library/Receipts"}

// receipt is what the installer records of a package.
type receipt struct {
	Identifier string    `plist:"PackageIdentifier"`
	Version    string    `plist:"PackageVersion"`
	Installed  time.Time `plist:"InstallDate"`
	Prefix     string    `plist:"InstallPrefixPath"`
}

func collectReceipts(ctx context.Context, h *host.Host, l *list) error {
	found := false
	var bad damage
	for _, folder := range receiptFolders {
		entries, err := h.ReadDir(folder)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		for _, entry := range entries {
			if err := ctx.Err(); err != nil {
				return err
			}
			if !strings.HasSuffix(entry.Name(), ".plist") || !entry.Type().IsRegular() {
				continue
			}
			found = true // a folder without receipts is no sign of macOS
			item, err := readReceipt(h, folder+"/"+entry.Name())
			if err != nil {
				bad.add(err)
				continue
			}
			l.items = append(l.items, item)
		}
	}
	if !found {
		return errAbsent
	}
	return bad.err("receipts could not be read")
}

func readReceipt(h *host.Host, name string) (*inventoryv1.Software, error) {
	data, err := h.ReadFile(name, maxInfo)
	if err != nil {
		return nil, err
	}
	item, err := parseReceipt(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return item, nil
}

func parseReceipt(data []byte) (*inventoryv1.Software, error) {
	var r receipt
	if err := plist.Unmarshal(data, &r); err != nil {
		return nil, err
	}
	if r.Identifier == "" {
		return nil, errors.New("no identifier")
	}
	item := &inventoryv1.Software{
		Source: "pkg_receipt", Name: text([]byte(r.Identifier)), Version: text([]byte(r.Version)),
	}
	if r.Prefix != "" {
		item.InstallLocation = text([]byte("/" + strings.TrimPrefix(r.Prefix, "/")))
	}
	const firstMac, last = 1984, 9999 // the years that make sense, and that a timestamp can have
	if year := r.Installed.Year(); firstMac <= year && year <= last {
		item.InstallDate = timestamppb.New(r.Installed.Truncate(time.Second))
	}
	return item, nil
}
