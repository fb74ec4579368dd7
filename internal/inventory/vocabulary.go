package inventory

// Sources of records.
const (
	SourceAgent     = "agent"     // a Muster agent
	SourceManual    = "manual"    // a person, by the API
	SourceDiscovery = "discovery" // a component that was found at another CI
)

// Built-in classes that the rules treat specially. The others are rows of ci_class.
const (
	RootClass           = "ci"       // the class of all CIs
	ClassComputer       = "computer" // everything that an agent runs on; the class itself: of unknown form
	ClassDesktop        = "desktop"
	ClassLaptop         = "laptop"
	ClassServer         = "server"
	ClassVirtualMachine = "virtual_machine"
	ClassContainer      = "container"
	ClassMonitor        = "monitor"
	ClassStorageDevice  = "storage_device"
	ClassPeripheral     = "peripheral"
	ClassInstallation   = "operating_system_installation" // exists only while it is installed on a computer
	ClassPerson         = "person"
	ClassNetwork        = "network"
)

// Built-in attributes that are columns of a CI.
const (
	AttributeName  = "name"
	AttributeClass = "class"
)

// AttributeLifecycleState is the attribute that a CI's observation and retirement change.
const AttributeLifecycleState = "lifecycle_state"

// Types of the relationships between a CI and the components that are discovered with it.
const (
	RelationshipHostedOn    = "hosted_on" // a container or virtual machine → the machine that it runs on
	RelationshipInstalledOn = "installed_on"
	RelationshipConnectedTo = "connected_to"
	RelationshipContains    = "contains"
	RelationshipUsedBy      = "used_by"
	RelationshipMemberOf    = "member_of"
)

// Actions of an identity decision: what it changed for a record.
const (
	ActionCreated   = "created"   // the record is a new CI
	ActionLinked    = "linked"    // a new record belongs to a known CI
	ActionMerged    = "merged"    // the record left its default CI for another one
	ActionSplit     = "split"     // the record left a CI that it shared with other records
	ActionMoved     = "moved"     // the record's installation moved to another device
	ActionConfirmed = "confirmed" // the CI stays; another rule decides
)

// Types of findings. Those of a partition come from identify, the last four from the resolver.
const (
	FindingSharedIdentifier = "shared_identifier" // several devices report one identifier
	FindingTwoAgents        = "two_agents"        // several agents report on one installation
	FindingBoardReplaced    = "board_replaced"
	FindingOSMoved          = "os_moved"    // an installation runs in another device than before
	FindingOSReplaced       = "os_replaced" // a device was reinstalled
	FindingClone            = "clone"       // a machine or an installation was copied
	FindingEnclosure        = "enclosure"   // several devices in one chassis
	FindingDualBoot         = "dual_boot"   // several installations on one device

	FindingCutShort          = "cut_short"          // a candidate set is too large to compare all of it
	FindingSharedComponent   = "shared_component"   // a component is observed at too many devices
	FindingReturned          = "returned"           // a source observed a retired CI again
	FindingAttributeConflict = "attribute_conflict" // fresh sources disagree on an important value
)

// Types of reviews: why a person should decide whether two records are one CI.
const (
	ReviewEvidence          = "evidence"            // some evidence, but not enough
	ReviewOneFamily         = "one_family"          // enough evidence from one family only, and some against
	ReviewBlocked           = "blocked"             // enough evidence, and a contradiction
	ReviewOldCIs            = "old_cis"             // two long-lived CIs would become one
	ReviewAmbiguous         = "ambiguous"           // enough evidence for either of two separate CIs
	ReviewPossibleBoardSwap = "possible_board_swap" // the installation and its disk in other hardware
	ReviewLiveAgents        = "live_agents"         // two live agents claim one machine
)

// Origins of a constraint.
const (
	OriginOperator = "operator" // a person merged or split CIs
	OriginReview   = "review"   // a person decided a review
	OriginUndo     = "undo"     // a person reverted a decision
	OriginList     = "list"     // an import's mapping names the CI of a row
	OriginFork     = "fork"     // a copy of an agent, or of another tool's key, was detected
	OriginConflict = "conflict" // two live agents claimed one machine; it holds while the first one is alive
)

// SectionSoftware is the section whose items have typed columns, because people search them.
const SectionSoftware = "software"
