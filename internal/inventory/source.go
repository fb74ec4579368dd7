package inventory

import "strings"

// Categories of sources. The rules rank sources by their category, so that another import format
// needs no change of the rules. The category of a source that has no row here is its type, such as
// "agent" or "manual".
const (
	CategoryInventory = "inventory" // the agent of another tool, which observes a machine
	CategoryList      = "list"      // a table, which declares
)

// ImportFormat is a format of files that can be imported.
type ImportFormat struct {
	Name     string // as people name it
	Source   string // the type of the sources of its documents
	Category string
}

// ImportFormats lists the formats in the order of the help.
func ImportFormats() []ImportFormat {
	return []ImportFormat{
		{"glpi-json", "glpi", CategoryInventory},
		{"fusioninventory-xml", "fusioninventory", CategoryInventory},
		{"ocs-xml", "ocs", CategoryInventory},
		{"csv", "csv", CategoryList},
	}
}

// categories are those of the source types that differ from it.
var categories = func() map[string]string {
	byType := map[string]string{"purchase": CategoryList}
	for _, format := range ImportFormats() {
		byType[format.Source] = format.Category
	}
	return byType
}()

// SourceCategory returns the category of a source. The type of a source is the part of its name
// before the colon.
func SourceCategory(source string) string {
	sourceType, _, _ := strings.Cut(source, ":")
	if category, ok := categories[sourceType]; ok {
		return category
	}
	return sourceType
}
