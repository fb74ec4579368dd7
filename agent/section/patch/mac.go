package patch

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/plist"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

const (
	// installHistory has every installation since the first start of the Mac.
	installHistory = "/Library/Receipts/InstallHistory.plist"
	// softwareUpdate has the result of the last search for updates.
	softwareUpdate = "/Library/Preferences/com.apple.SoftwareUpdate.plist"
)

// maxHistory bounds these files, in bytes. A Mac of ten years has a history of 1 MB.
const maxHistory = 8 << 20

// appleUpdate is the source of the items.
const appleUpdate = "software_update"

func collectMac(h *host.Host) ([]proto.Message, error) {
	installed, err := readList(h, installHistory, installedUpdates)
	pending, pendingErr := readList(h, softwareUpdate, pendingUpdates)
	return append(installed, pending...), errors.Join(err, pendingErr)
}

// readList returns nothing if the file does not exist: a new Mac has neither.
func readList(h *host.Host, name string, parse func([]byte) ([]proto.Message, error)) ([]proto.Message, error) {
	data, err := h.ReadFile(name, maxHistory)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	items, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return items, nil
}

// installation is an entry of the history.
type installation struct {
	Name    string    `plist:"displayName"`
	Version string    `plist:"displayVersion"`
	Content string    `plist:"contentType"`
	Process string    `plist:"processName"`
	Date    time.Time `plist:"date"`
}

// updaters are the programs that install updates of the system. The others install applications,
// which are in the section software.
var updaters = []string{"softwareupdated", "Software Update", "macOS Installer", "OS X Installer", "SoftwareUpdate"}

// installedUpdates returns the last installation of each name. Data such as that of XProtect has
// one name for all its versions.
func installedUpdates(data []byte) ([]proto.Message, error) {
	var history []installation
	if err := plist.Unmarshal(data, &history); err != nil {
		return nil, err
	}
	last := map[string]installation{}
	for _, i := range history {
		if slices.Contains(updaters, i.Process) && i.Name != "" && !i.Date.Before(last[i.Name].Date) {
			last[i.Name] = i
		}
	}
	items := make([]*inventoryv1.Patch, 0, len(last))
	for _, i := range last {
		items = append(items, i.item())
	}
	slices.SortFunc(items, func(a, b *inventoryv1.Patch) int { return cmp.Compare(a.Id, b.Id) })
	return messages(items), nil
}

func (i installation) item() *inventoryv1.Patch {
	item := &inventoryv1.Patch{
		Id: i.Name, Source: appleUpdate, Kind: "update", State: "installed", Version: strings.TrimSpace(i.Version),
	}
	if i.Content == "config-data" {
		item.Kind = "data"
	}
	const firstMac, last = 1984, 9999 // the years that make sense, and that a timestamp can have
	if year := i.Date.Year(); firstMac <= year && year <= last {
		item.InstalledOn = timestamppb.New(i.Date)
	}
	return item
}

// pendingUpdates returns the updates that the last search found. The section does not search.
func pendingUpdates(data []byte) ([]proto.Message, error) {
	var preferences struct {
		Updates []struct {
			ID      string `plist:"Identifier"`
			Name    string `plist:"Display Name"`
			Version string `plist:"Display Version"`
		} `plist:"RecommendedUpdates"`
	}
	if err := plist.Unmarshal(data, &preferences); err != nil {
		return nil, err
	}
	var items []*inventoryv1.Patch
	for _, u := range preferences.Updates {
		id := cmp.Or(u.ID, u.Name)
		if id == "" {
			continue
		}
		items = append(items, &inventoryv1.Patch{
			Id: id, Source: appleUpdate, Kind: "update", State: "pending", Title: u.Name, Version: u.Version,
		})
	}
	return messages(items), nil
}

func messages(items []*inventoryv1.Patch) []proto.Message {
	list := make([]proto.Message, len(items))
	for i, item := range items {
		list[i] = item
	}
	return list
}
