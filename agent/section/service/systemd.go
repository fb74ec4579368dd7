package service

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// services returns an item for every unit that is a service of its own.
func (u *units) services() []*inventoryv1.Service {
	slices.Sort(u.order)
	var services []*inventoryv1.Service
	for _, name := range slices.Compact(u.order) {
		if isTemplate(name) {
			continue
		}
		if service := u.service(name); service != nil {
			services = append(services, service)
		}
	}
	return services
}

// service describes one unit. It returns nil for an alias of another unit and for a name without a
// file.
func (u *units) service(name string) *inventoryv1.Service {
	file, found := u.files[name]
	source := name
	if template := instanceOf(name); template != "" && (!found || path.Base(file.target) == template) {
		source = template
		file, found = u.files[template]
	}
	if !found || file.target != "" && path.Base(file.target) != source && !masks(file.target) {
		return nil
	}
	if masks(file.target) {
		return &inventoryv1.Service{Name: name, StartType: masked(file)}
	}
	text, err := u.read(unitDirs[file.dir].name + "/" + source)
	switch {
	case errors.Is(err, fs.ErrNotExist): // a link to a unit file that no longer exists
		return nil
	case err != nil: // the unit exists; nothing else is known
		u.errs = append(u.errs, fmt.Errorf("read unit: %w", err))
		return &inventoryv1.Service{Name: name}
	case text == "":
		return &inventoryv1.Service{Name: name, StartType: masked(file)}
	}
	var definition unit
	definition.apply(text)
	for _, dropin := range u.dropinsOf(name) {
		if text, err := u.read(dropin); err == nil {
			definition.apply(text)
		}
	}
	return &inventoryv1.Service{
		Name:        name,
		DisplayName: expand(definition.description, name),
		StartType:   u.startType(name, file, &definition),
		ExePath:     executable(definition.execStart),
		RunAs:       expand(definition.user, name),
	}
}

// masks reports whether a link's target masks a unit.
func masks(target string) bool { return target == "/dev/null" }

func masked(file unitFile) string {
	if unitDirs[file.dir].origin == runtime {
		return "masked-runtime"
	}
	return "masked"
}

func (u *units) read(name string) (string, error) {
	if u.buf == nil {
		u.buf = make([]byte, 64<<10)
	}
	data, err := u.host.ReadInto(name, u.buf)
	if err != nil && len(data) == len(u.buf) { // rare: most unit files have some hundred bytes
		data, err = u.host.ReadFile(name, maxUnit)
	}
	return string(data), err
}

// dropinsOf returns the drop-in files of a unit in the order in which they apply: sorted by file
// name across all directories. A file hides files of the same name in later directories.
func (u *units) dropinsOf(name string) []string {
	chosen := map[string]string{}
	for _, directory := range u.dropinDirs(name) {
		entries, err := u.host.ReadDir(directory)
		if err != nil {
			continue
		}
		for _, entry := range entries {
			file := entry.Name()
			if _, hidden := chosen[file]; !hidden && strings.HasSuffix(file, ".conf") {
				chosen[file] = directory + "/" + file
			}
		}
	}
	files := make([]string, 0, len(chosen))
	for file := range chosen {
		files = append(files, file)
	}
	slices.Sort(files)
	for i, file := range files {
		files[i] = chosen[file]
	}
	return files
}

// dropinDirs returns a unit's drop-in directories: first those of the unit, then those of its
// template and of its prefixes ("foo-.service.d" applies to "foo-bar.service"). Drop-ins for all
// services are ignored because they set nothing that an item contains.
func (u *units) dropinDirs(name string) []string {
	if len(u.dropins) == 0 {
		return nil
	}
	directories := slices.Clone(u.dropins[name+".d"])
	if template := instanceOf(name); template != "" {
		directories = append(directories, u.dropins[template+".d"]...)
	}
	for i := len(name) - len(".service") - 1; i > 0; i-- {
		if name[i] == '-' {
			directories = append(directories, u.dropins[name[:i+1]+".service.d"]...)
		}
	}
	return directories
}

// expand replaces the specifiers for the instance, as in "Getty on %I" (systemd.unit(5),
// "Specifiers").
func expand(text, name string) string {
	if !strings.Contains(text, "%") || instanceOf(name) == "" {
		return text
	}
	_, of, _ := strings.Cut(strings.TrimSuffix(name, ".service"), "@")
	return strings.NewReplacer("%i", of, "%I", strings.ReplaceAll(of, "-", "/"), "%%", "%").Replace(text)
}
