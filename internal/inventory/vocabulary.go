package inventory

// Sources of records.
const (
	SourceAgent     = "agent"     // a Muster agent
	SourceManual    = "manual"    // a person, by the API
	SourceDiscovery = "discovery" // a component that was found at another CI
)

// Built-in classes that the rules treat specially. The others are rows of ci_class.
const (
	RootClass         = "ci"                            // the class of all CIs
	ClassComputer     = "computer"                      // everything that an agent runs on
	ClassInstallation = "operating_system_installation" // exists only while it is installed on a computer
)

// Built-in attributes that are columns of a CI.
const (
	AttributeName  = "name"
	AttributeClass = "class"
)

// RelationshipHostedOn is the relationship of a container or virtual machine to the machine that it runs on.
const RelationshipHostedOn = "hosted_on"

// SectionSoftware is the section whose items have typed columns, because people search them.
const SectionSoftware = "software"
