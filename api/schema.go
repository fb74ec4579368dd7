package api

import (
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// The descriptions of fields that are not request parameters. They are here because the domain
// types of package inventory know nothing of the API. A key is the Go type and the field's JSON
// name, or the JSON name alone for a field that means the same in every type. TestDescriptions
// checks that every field has a description and that every entry is used.

// descriptions describes fields.
var descriptions = map[string]string{
	"actor":         "The name of the API token that made the change. Absent if no person made it.",
	"as_of":         "The as_of of the request.",
	"at":            "The instant of the change.",
	"attribute":     "The name of the attribute.",
	"attributes":    "Values by attribute name. An unknown value is absent.",
	"bits":          "The weight of the evidence, in bits.",
	"built_in":      "Whether Muster defines it. A built-in one cannot be deleted.",
	"ci":            "The id of the CI.",
	"class":         "The name of the class.",
	"closed_at":     "When it was closed. Absent while it is open.",
	"created_at":    "When it was created.",
	"description":   "A longer explanation for people.",
	"first_seen":    "When a source observed it for the first time.",
	"id":            "The id.",
	"identifier":    "The identifier, as kind:scope|value.",
	"items_added":   "The number of added items.",
	"items_changed": "The number of changed items.",
	"items_removed": "The number of removed items.",
	"label":         "The name that people read.",
	"last_seen":     "When a source observed it last. Absent from answers about the past.",
	"manufacturer":  "The manufacturer.",
	"model":         "The model.",
	"name":          "The name.",
	"native_key":    "The source's own id of the record.",
	"new":           "The value after the change. Absent if it is unknown or removed.",
	"old":           "The value before the change. Absent if it was unknown or is new.",
	"opened_at":     "When it was opened.",
	"reason":        "Why the person made the change.",
	"record":        "The id of the source record.",
	"record_a":      "The id of one source record.",
	"record_b":      "The id of the other source record.",
	"records":       "The ids of the source records.",
	"revoked_at":    "When it was revoked. Absent while it is valid.",
	"rules_version": "The version of the identification rules.",
	"section":       "The name of the section.",
	"source":        "The source, for example agent, manual or csv:hr.",
	"text":          "The explanation in words.",

	"Attribute.choices": "The allowed values, if the type is choice.",
	"Attribute.class":   "The class that declares the attribute. The classes below it have the attribute too.",
	"Attribute.type":    "The type of the values.",

	"Baseline.at":         "The instant that the baseline names.",
	"Baseline.class":      "The baseline covers only CIs of this class and of the classes below it. Absent: all CIs.",
	"Baseline.created_by": "The name of the API token that created the baseline.",

	"CI.retire_reason": "Why the person retired the CI.",
	"CI.retired_at":    "When the CI was retired. Absent while it is in use.",
	"CI.retired_by":    "The name of the API token that retired the CI.",

	"CIDetails.changed_at": "When an effective value, or the reason for one, changed last.",
	"CIDetails.locks":      "The attributes whose value a person locked.",
	"CIDetails.observation_state": "active: a source observed the CI within three check-ins. stale and absent: no " +
		"source " +
		"observed it for 30 and 90 days (a container: 6 hours and one day). silent: between active and stale. " +
		"Absent if no source observes the CI, and from answers about the past.",
	"CIDetails.provenance": "Where each effective value comes from, by attribute name.",
	"CIDetails.sources":    "The source records that belong to the CI.",

	"CIDiff.attributes":    "The attributes that differ.",
	"CIDiff.change":        "added: the CI exists only at the later instant. removed: only at the earlier one.",
	"CIDiff.ci":            "The CI.",
	"CIDiff.items":         "The items that differ. Only with items=true.",
	"CIDiff.relationships": "The relationships that hold at only one of the two instants.",

	"Candidate.ci":   "The id of the CI that the record belonged to.",
	"Candidate.rule": "The rule that decided about the pair, for example R3.",

	"Class.parent": "The class above it. Absent: it is ci, the root.",

	"ConstraintRecord.linked": "true: the two records are always one CI. false: they never are.",
	"ConstraintRecord.origin": "Where the constraint comes from: operator, review or fork.",
	"ConstraintRecord.reason": "Why the constraint was set.",

	"Decision.action":    "What the decision did to the record.",
	"Decision.new_ci":    "The id of the CI that the record belongs to after the decision.",
	"Decision.note":      "Why the person made the change.",
	"Decision.old_ci":    "The id of the CI that the record belonged to before. Absent if the record is new.",
	"Decision.reason":    "The rule and the evidence, for programs.",
	"Decision.rule":      "The rule that decided, for example R3.",
	"Decision.undo_note": "Why the person undid the decision.",
	"Decision.undone_at": "When the decision was undone. Absent while it is in force.",
	"Decision.undone_by": "The name of the API token that undid the decision.",

	"Device.os_name":       "The name of the operating system.",
	"Device.os_version":    "The version of the operating system.",
	"Device.serial_number": "The serial number.",
	"Device.uuid":          "The UUID in the firmware.",

	"DeviceAgent.agent_id":      "The id of the agent.",
	"DeviceAgent.enrolled_at":   "When the agent enrolled.",
	"DeviceAgent.revoke_reason": "Why the agent was revoked.",

	"Agent.agent_id":         "The agent's id.",
	"Agent.state":            "pending (nothing of it is applied before approval), approved, refused or revoked.",
	"Agent.serial_number":    "The serial number of its machine, as it claimed when it enrolled.",
	"Agent.hostname":         "The host name of its machine, as it claimed when it enrolled.",
	"Agent.address":          "The address from which it enrolled.",
	"Agent.enrollment_token": "The name of the token that it enrolled with. Absent: it was forked from another agent.",
	"Agent.device":           "The device that it reports on. Absent: it has not reported yet.",
	"Agent.enrolled_at":      "When the agent enrolled.",
	"Agent.approved_at":      "When it was approved.",
	"Agent.approved_by":      "Who approved it. Absent: its token approves automatically.",
	"Agent.revoked_at":       "When it was refused or revoked.",
	"Agent.revoked_by":       "Who refused or revoked it.",
	"Agent.revoke_reason":    "Why it was refused or revoked.",
	"DeviceAgent.revoked_at": "The collector has rejected the agent since then. Absent while it is accepted.",
	"DeviceAgent.version":    "The version of the agent. Absent from answers about the past.",

	"DeviceSection.changed_at": "When the section's items or its status changed last.",
	"DeviceSection.duration_ms": "How long the collection of the last change took. Absent from answers about the " +
		"past.",
	"DeviceSection.items":        "The number of items. Absent if the section was never collected.",
	"DeviceSection.message":      "Why the status is not ok.",
	"DeviceSection.status":       "How the last collection ended. Only ok is complete: the device has no other items.",
	"DeviceSection.status_since": "When the section got this status.",
	"DeviceSection.verdicts":     "The items of the last change that the collector cleaned, truncated or rejected.",

	"DiffSummary.added":   "The number of CIs that exist only at the later instant.",
	"DiffSummary.changed": "The number of CIs that differ.",
	"DiffSummary.from":    "The earlier instant.",
	"DiffSummary.removed": "The number of CIs that exist only at the earlier instant.",
	"DiffSummary.to":      "The later instant.",

	"EnrollmentToken.expires_at":     "When the token expires.",
	"EnrollmentToken.max_uses":       "How many agents can enroll with the token.",
	"EnrollmentToken.approval":       "manual: nothing of an agent is applied before a person approves it.",
	"EnrollmentToken.serial_numbers": "The serial numbers of the machines that can enroll. Absent: any.",
	"EnrollmentToken.network":        "The network that agents can enroll from, as CIDR. Absent: any.",
	"EnrollmentToken.uses":           "How many agents have enrolled with the token.",

	"Evidence.family":      "The family of identifiers, for example hardware.",
	"Evidence.identifiers": "The identifiers of the family that both records have, or that differ.",
	"Evidence.past":        "Whether one record had the identifier before the other. It counts half.",

	"FeedChange.action": "For example installed, removed, upgraded, changed, created, retired, began, ended, merged " +
		"or split.",
	"FeedChange.ci":      "The CI that changed.",
	"FeedChange.name":    "The name of the item, or of the other CI.",
	"FeedChange.subject": "The section, attribute, relationship type or rule.",
	"FeedChange.type":    "What changed.",

	"FindingRecord.type": "The type of the finding, for example shared_identifier.",

	"Graph.edges":     "The relationships between the nodes.",
	"Graph.nodes":     "The CIs, the one of the request included.",
	"Graph.truncated": "Whether CIs are missing because of max_nodes. Ask for a lower depth or fewer types.",

	"GraphNode.depth": "The number of relationships between this CI and the CI of the request, whose depth is 0.",

	"IdentifierHistory.first_seen": "When the source reported the identifier for the first time.",
	"IdentifierHistory.last_seen":  "When the source reported the identifier last. Absent while it is reported.",

	"Identity.constraints": "What people decided about pairs of these records.",
	"Identity.decisions":   "The decisions about these records, the latest first.",
	"Identity.findings":    "What people should know about these records.",
	"Identity.records":     "The source records of the CI with their identifiers.",
	"Identity.reviews":     "The reviews that concern these records.",

	"IdentityRecord.identifiers": "The identifiers of the record.",
	"IdentityRecord.primary":     "Whether the record's inventory is the CI's.",
	"IdentityRecord.rejected":    "The values that do not count as identifiers.",

	"ImportReport.changed":   "The number of documents that changed an existing CI.",
	"ImportReport.created":   "The number of documents that created a CI.",
	"ImportReport.documents": "The result of each document.",
	"ImportReport.dry_run":   "Whether the import only reported what it would change.",
	"ImportReport.format":    "The format of the file.",
	"ImportReport.rejected":  "The number of documents that were rejected.",
	"ImportReport.unchanged": "The number of documents that changed nothing.",
	"ImportReport.warnings":  "What was ignored in all documents, such as a column, and why.",

	"ImportRow.outcome":  "What the document did.",
	"ImportRow.position": `The position in the file: "line 12", "object 3" or "row 7".`,
	"ImportRow.problem":  "Why the document was rejected.",
	"ImportRow.warnings": "What was ignored, and why.",

	"ItemDiff.new": "The item at the later instant. Absent if it was removed.",
	"ItemDiff.old": "The item at the earlier instant. Absent if it was added.",

	"Lock.locked_at": "When the value was locked.",
	"Lock.reason":    "Why the value was locked.",
	"Lock.until":     "When the lock ends. Absent: when a person releases it.",
	"Lock.value":     "The locked value.",

	"Provenance.rule": "The rule that chose the value: lock, only, fresh, precedence or latest; for a class also " +
		"specific.",
	"Provenance.suppressed": "The values of other sources.",

	"Reason.against":    "The evidence against the link.",
	"Reason.bits":       "The evidence for the link less the evidence against it, in bits.",
	"Reason.candidates": "The other records that were compared.",
	"Reason.for":        "The evidence for the link.",
	"Reason.rejected":   "The values that do not count as identifiers.",
	"Reason.rule":       "The rule that decided, for example R3.",
	"Reason.shared":     "Identifiers that other devices have too. They count for nothing.",
	"Reason.with":       "The id of the record that this record was linked with, or separated from.",

	"Rejection.kind":    "The kind of the identifier.",
	"Rejection.pattern": "The pattern that rejected the value.",
	"Rejection.value":   "The rejected value.",

	"Relationship.actor":      "The name of the API token that declared the relationship. Absent if it is observed.",
	"Relationship.end_reason": "Why the person ended the relationship.",
	"Relationship.ended_by":   "The name of the API token that ended the relationship.",
	"Relationship.from":       "The CI that the relationship starts from.",
	"Relationship.reason":     "Why the person declared the relationship.",
	"Relationship.to":         "The CI that the relationship leads to.",
	"Relationship.type":       "The relationship type.",
	"Relationship.valid_from": "Since when the relationship holds.",
	"Relationship.valid_to":   "When the relationship ended. Absent while it holds.",
	"Relationship.verb":       "The type as a verb, for example contains.",

	"RelationshipDiff.change": "began: the relationship holds only at the later instant. ended: only at the " +
		"earlier one.",
	"RelationshipDiff.direction": "out: the relationship starts from the CI. in: it leads to the CI.",
	"RelationshipDiff.other":     "The CI at the other end.",
	"RelationshipDiff.type":      "The relationship type.",
	"RelationshipDiff.verb":      "What the CI does to the other, for example contains or is contained in.",

	"RelationshipType.from_class":   "A relationship starts from a CI of this class or of a class below it.",
	"RelationshipType.impact":       "Which end is affected when the other one fails.",
	"RelationshipType.inverse_verb": "The verb from the second CI to the first, for example is contained in.",
	"RelationshipType.to_class":     "A relationship leads to a CI of this class or of a class below it.",
	"RelationshipType.verb":         "The verb from the first CI to the second, for example contains.",

	"Review.actor":   "The name of the API token that decided the review.",
	"Review.ci_a":    "The CI of the one record.",
	"Review.ci_b":    "The CI of the other record.",
	"Review.note":    "Why the person decided so.",
	"Review.reason":  "The evidence, for programs.",
	"Review.type":    "The type of the review.",
	"Review.verdict": "How the review ended. Absent while it is open.",

	"SimulatedChange.cis": "The CIs as they are now.",

	"Simulation.merges":        "The CIs that the rules would merge.",
	"Simulation.records":       "The number of records that were compared.",
	"Simulation.rules_version": "The version of the simulated rules.",
	"Simulation.splits":        "The CIs that the rules would split.",
	"Simulation.truncated":     "Whether there are more merges or splits than the answer lists.",

	"Software.install_count": "The number of installations. Two architectures on one device are two.",
	"Software.publisher":     "The publisher.",
	"Software.source":        "Where the installation is registered, for example dpkg, rpm or apk.",
	"Software.version":       "The version.",

	"SourceRecord.primary": "Whether the record's inventory is the CI's.",

	"Suppressed.value": "The value of the other source.",

	"Verdict.item":    "The key of the item, as far as the collector could read it.",
	"Verdict.outcome": "What the collector did with the item: cleaned, truncated or rejected.",
	"Verdict.reason":  "Why the collector did not take the item unchanged.",
}

// choices lists the values of fields that have a fixed set of them, joined by commas.
var choices = map[string]string{
	"Attribute.type":              "text,integer,number,boolean,date,timestamp,choice",
	"CIDetails.observation_state": "active,silent,stale,absent",
	"CIDiff.change":               "added,removed,changed",
	"Decision.action":             "created,linked,merged,split,moved,confirmed",
	"DeviceSection.status":        "ok,partial,denied,unsupported,timeout,error",
	"FeedChange.type":             "item,attribute,ci,relationship,identity",
	"ImportRow.outcome":           "created,changed,unchanged,rejected",
	"RelationshipDiff.change":     "began,ended",
	"RelationshipDiff.direction":  "out,in",
	"RelationshipType.impact":     "none,from_suffers,to_suffers",
	"Review.verdict":              "accepted,kept_separate,obsolete",
}

// describeSchemas completes the schemas that huma derived from Go types. A doc tag of a field wins
// over an entry of descriptions. It returns the keys of the entries that describe a field.
func describeSchemas(registry huma.Registry) (used map[string]bool) {
	used = map[string]bool{}
	for name, schema := range registry.Map() {
		tidySchema(name, schema)
		t := registry.TypeFromRef("#/components/schemas/" + name)
		if t == nil || t.Kind() != reflect.Struct {
			continue
		}
		for _, field := range reflect.VisibleFields(t) {
			property := schema.Properties[jsonName(field)]
			if property == nil || field.Anonymous {
				continue
			}
			describeField(property, ownerOf(t, field), jsonName(field), used)
		}
	}
	return used
}

// tidySchema removes what huma adds and Muster does not promise: that an answer never gets another
// field, and that a list can be null.
func tidySchema(name string, schema *huma.Schema) {
	if !strings.HasSuffix(name, "InputBody") && schema.AdditionalProperties == false {
		schema.AdditionalProperties = nil
	}
	for _, property := range schema.Properties {
		property.Nullable = property.Nullable && property.Type != huma.TypeArray
	}
}

func describeField(property *huma.Schema, owner, name string, used map[string]bool) {
	if list, ok := choices[owner+"."+name]; ok {
		used[owner+"."+name] = true
		for choice := range strings.SplitSeq(list, ",") {
			property.Enum = append(property.Enum, choice)
		}
	}
	if property.Description != "" {
		return
	}
	for _, key := range []string{owner + "." + name, name} {
		if text, ok := descriptions[key]; ok {
			property.Description = text
			used[key] = true
			return
		}
	}
}

// ownerOf returns the name of the type that declares a field: t, or a struct that t embeds.
func ownerOf(t reflect.Type, field reflect.StructField) string {
	for _, i := range field.Index[:len(field.Index)-1] {
		t = t.Field(i).Type
	}
	return t.Name()
}

func jsonName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
}
