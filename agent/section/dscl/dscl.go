// Package dscl reads the accounts of macOS, which are in its directory service and not in the files
// passwd and group. It asks the command dscl, which every user may use. The service's own files are
// closed to all but the system, and have the passwords beside the names. Start reading at Read.
package dscl

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/plist"
)

// Record is an account or a group: the values of its attributes.
type Record map[string][]string

// The attributes that the commands ask for.
const (
	Name         = "RecordName"
	FullName     = "RealName"
	UserID       = "UniqueID"
	GroupID      = "PrimaryGroupID"
	Home         = "NFSHomeDirectory"
	Shell        = "UserShell"
	OriginalNode = "OriginalNodeName" // from which a directory's account was copied
	Members      = "GroupMembership"
)

// Read returns the records that a command asks for. Systems other than macOS do not have the
// command.
func Read(ctx context.Context, h *host.Host, command host.Command) ([]Record, error) {
	data, err := h.Output(ctx, command)
	if err != nil {
		return nil, err
	}
	records, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", command, err)
	}
	return records, nil
}

// Parse reads the property list that dscl prints. It leaves out records without a name.
func Parse(data []byte) ([]Record, error) {
	if !plist.IsXML(data) {
		return nil, errors.New("not a property list in XML")
	}
	var list []map[string]any
	if err := plist.Unmarshal(data, &list); err != nil {
		return nil, err
	}
	var records []Record
	for _, attributes := range list {
		record := Record{}
		for name, values := range attributes {
			_, name, _ = strings.Cut(name, ":") // "dsAttrTypeStandard:" or "dsAttrTypeNative:"
			record[name] = texts(values)
		}
		if record.First(Name) != "" {
			records = append(records, record)
		}
	}
	return records, nil
}

func texts(values any) []string {
	list, _ := values.([]any)
	var all []string
	for _, value := range list {
		if text, ok := value.(string); ok {
			all = append(all, strings.TrimSpace(text))
		}
	}
	return all
}

// First returns the first value of an attribute, or "". The first name of an account is that of the
// login.
func (r Record) First(attribute string) string {
	if values := r[attribute]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// firstID is the number from which macOS numbers the accounts and groups that people make. Lower
// ones belong to the system.
const firstID = 500

// IsMadeByPeople reports whether the number of an account or a group is one of those that people
// make. Negative numbers belong to nobody.
func IsMadeByPeople(id string) bool {
	n, err := strconv.ParseInt(id, 10, 32)
	return err == nil && n >= firstID
}

// IsService reports whether an account belongs to a service of the system.
func IsService(login string) bool { return strings.HasPrefix(login, "_") }
