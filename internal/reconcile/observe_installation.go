package reconcile

import "github.com/musterhq/muster/internal/inventory"

// osFacts are those of the section os that are read here.
type osFacts struct {
	Name        string `json:"name"`
	Version     string `json:"version"`
	Edition     string `json:"edition"`
	Build       string `json:"build"`
	DisplayName string `json:"display_name"`
	Kernel      string `json:"kernel"`
	Arch        string `json:"arch"`
	InstallID   string `json:"install_id"`
	Hostname    string `json:"hostname"`
	FQDN        string `json:"fqdn"`
}

// describe returns what a machine and the installation on it say alike.
func (o osFacts) describe(a attributes) {
	a.text("os_name", o.Name)
	a.text("os_version", o.Version)
	a.text("os_edition", o.Edition)
	a.text("os_build", o.Build)
	a.text("kernel", o.Kernel)
	a.text("arch", o.Arch)
}

// installation is the operating system that reports: of several on a machine, each has a record of its own.
func (m machine) installation() []inventory.Component {
	if m.os.Name == "" && m.os.DisplayName == "" && m.os.InstallID == "" {
		return nil
	}
	a := attributes{}
	m.os.describe(a)
	a.text("install_id", m.os.InstallID)
	a.text("name", m.os.Name+" "+m.os.Version)
	a.text("name", m.os.DisplayName)
	return []inventory.Component{{
		Class:        inventory.ClassInstallation,
		Key:          "os",
		Attributes:   inventory.Attributes(a),
		Identifiers:  inventory.RawIdentifiers{OSInstallID: m.os.InstallID},
		Relationship: inventory.RelationshipInstalledOn,
	}}
}
