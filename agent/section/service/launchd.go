package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/plist"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// daemonFolders have a property list per service of macOS (launchd.plist(5)). The agents beside
// them run for a user who is logged on, and are not services of the machine.
var daemonFolders = []string{"/Library/LaunchDaemons", "/System/Library/LaunchDaemons"}

// disabledJobs has the services that an administrator has turned on or off, by name. It overrides
// the property lists.
const disabledJobs = "/var/db/com.apple.xpc.launchd/disabled.plist"

// maxJob bounds a property list of a service, in bytes. The largest of macOS has 40 KB.
const maxJob = 256 << 10

// maxUnread bounds the property lists that are reported as not readable.
const maxUnread = 3

// job is what launchd.plist(5) says of a service.
type job struct {
	Label     string     `plist:"Label"`
	Program   string     `plist:"Program"`
	Arguments []string   `plist:"ProgramArguments"`
	User      string     `plist:"UserName"`
	Disabled  plist.Flag `plist:"Disabled"`
	RunAtLoad plist.Flag `plist:"RunAtLoad"`
	KeepAlive plist.Flag `plist:"KeepAlive"` // conditions, a dictionary, start the service on demand
}

// ofLaunchd returns the services of macOS.
func ofLaunchd(ctx context.Context, h *host.Host) ([]*inventoryv1.Service, error) {
	overrides, err := overridesOf(h)
	errs := []error{err}
	unread := 0
	var services []*inventoryv1.Service
	byName := map[string]*inventoryv1.Service{}
	for _, folder := range daemonFolders {
		entries, err := h.ReadDir(folder)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		for _, entry := range entries {
			if !strings.HasSuffix(entry.Name(), ".plist") {
				continue
			}
			service, err := readJob(h, folder+"/"+entry.Name(), overrides)
			if err != nil {
				if unread++; unread <= maxUnread {
					errs = append(errs, err)
				}
				continue
			}
			if byName[service.Name] == nil { // launchd rejects a second one with the same name
				byName[service.Name] = service
				services = append(services, service)
			}
		}
	}
	if len(services) > 0 {
		setJobStates(ctx, h, byName)
	}
	return services, errors.Join(errs...)
}

func overridesOf(h *host.Host) (map[string]plist.Flag, error) {
	data, err := h.ReadFile(disabledJobs, maxJob)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]plist.Flag{}, nil
	}
	if err != nil {
		return nil, err
	}
	disabled := map[string]plist.Flag{}
	if err := plist.Unmarshal(data, &disabled); err != nil {
		return nil, fmt.Errorf("read %s: %w", disabledJobs, err)
	}
	return disabled, nil
}

func readJob(h *host.Host, name string, overrides map[string]plist.Flag) (*inventoryv1.Service, error) {
	data, err := h.ReadFile(name, maxJob)
	if err != nil {
		return nil, err
	}
	service, err := parseJob(data, overrides)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return service, nil
}

func parseJob(data []byte, overrides map[string]plist.Flag) (*inventoryv1.Service, error) {
	var j job
	if err := plist.Unmarshal(data, &j); err != nil {
		return nil, err
	}
	if j.Label == "" {
		return nil, errors.New("no label")
	}
	service := &inventoryv1.Service{Name: j.Label, ExePath: j.Program, RunAs: j.User, StartType: "on-demand"}
	if service.ExePath == "" && len(j.Arguments) > 0 {
		service.ExePath = j.Arguments[0]
	}
	if !path.IsAbs(service.ExePath) { // found by a search path, or there is none
		service.ExePath = ""
	}
	if service.RunAs == "" {
		service.RunAs = "root" // the default of a daemon
	}
	disabled := j.Disabled.On
	if override := overrides[j.Label]; override.Known {
		disabled = override.On
	}
	switch {
	case disabled:
		service.StartType = "disabled"
	case j.RunAtLoad.On || j.KeepAlive.On:
		service.StartType = "enabled"
	}
	return service, nil
}

// setJobStates sets the states of services that launchd has loaded. Asked by an ordinary user,
// launchd lists the agents of that user instead, whose names are others.
func setJobStates(ctx context.Context, h *host.Host, services map[string]*inventoryv1.Service) {
	data, err := h.Output(ctx, host.SystemJobs)
	if err != nil {
		return // the inventory is complete without
	}
	for line := range strings.Lines(string(data)) { // process, status, name
		f := strings.Fields(line)
		if len(f) != 3 || services[f[2]] == nil {
			continue
		}
		services[f[2]].State = stopped
		if strings.Trim(f[0], "0123456789") == "" {
			services[f[2]].State = running
		}
	}
}
