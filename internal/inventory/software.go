package inventory

// Software is one name, version, publisher and source of software that was found on a machine at some time.
type Software struct {
	ID           int32  `json:"id"`
	Name         string `json:"name"`
	Version      string `json:"version,omitempty"`
	Publisher    string `json:"publisher,omitempty"`
	Source       string `json:"source,omitempty"`
	InstallCount int64  `json:"install_count"`
}

// SoftwareQuery asks for software.
type SoftwareQuery struct {
	Page
	Words              []string // each must be a part of the name or of the publisher, in any case
	IncludeUninstalled bool     // also what no machine holds any more
}
