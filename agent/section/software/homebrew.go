package software

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// brewPrefixes are where Homebrew is installed: on Apple's processors, on Intel's, on Linux.
var brewPrefixes = []string{"/opt/homebrew", "/usr/local", "/home/linuxbrew/.linuxbrew"}

// brewKinds are the two kinds of packages: programs that Homebrew builds, and those of a vendor.
var brewKinds = []struct{ folder, source string }{{"Cellar", "homebrew"}, {"Caskroom", brewCask}}

const brewCask = "homebrew_cask"

// brewReceipt is what Homebrew records of a package. Casks have other fields.
type brewReceipt struct {
	Time float64 `json:"time"` // seconds since 1970
	Arch string  `json:"arch"`
}

// maxBrewReceipt bounds a receipt, in bytes; those of packages with many parts have 50 KB.
const maxBrewReceipt = 4 << 20

func collectHomebrew(ctx context.Context, h *host.Host, l *list) error {
	found := false
	var bad damage
	for _, prefix := range brewPrefixes {
		for _, kind := range brewKinds {
			folder := path.Join(prefix, kind.folder)
			entries, err := h.ReadDir(folder)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			found = true
			for _, entry := range entries {
				if err := ctx.Err(); err != nil {
					return err
				}
				if entry.IsDir() && !strings.HasPrefix(entry.Name(), ".") {
					addBrew(h, l, &bad, kind.source, path.Join(folder, entry.Name()))
				}
			}
		}
	}
	if !found {
		return errAbsent
	}
	return bad.err("packages could not be read")
}

// addBrew adds the installed versions of a package. Each is a folder.
func addBrew(h *host.Host, l *list, bad *damage, source, dir string) {
	versions, err := h.ReadDir(dir)
	if err != nil {
		bad.add(err)
		return
	}
	for _, version := range versions {
		if !version.IsDir() || strings.HasPrefix(version.Name(), ".") {
			continue
		}
		item := &inventoryv1.Software{
			Source: source, Name: text([]byte(path.Base(dir))), Version: text([]byte(version.Name())),
			InstallLocation: text([]byte(dir + "/" + version.Name())),
		}
		receipt := dir + "/" + version.Name() + "/INSTALL_RECEIPT.json"
		if source == brewCask {
			receipt = dir + "/.metadata/INSTALL_RECEIPT.json"
		}
		data, err := h.ReadFile(receipt, maxBrewReceipt)
		if err == nil {
			err = readBrew(data, item)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // old versions wrote none
			bad.add(fmt.Errorf("%s: %w", receipt, err))
		}
		l.items = append(l.items, item)
	}
}

func readBrew(data []byte, item *inventoryv1.Software) error {
	var r brewReceipt
	if err := json.Unmarshal(data, &r); err != nil {
		return fmt.Errorf("read JSON: %w", err)
	}
	item.Arch = text([]byte(r.Arch))
	const latest = 1 << 40 // far in the future, and far from the limits of a timestamp
	if r.Time >= 1 && r.Time < latest {
		item.InstallDate = timestamppb.New(time.Unix(int64(r.Time), 0))
	}
	return nil
}
