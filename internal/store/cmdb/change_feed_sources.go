package cmdb

// changeTypes are the types of changes, in their order within an instant.
var changeTypes = []string{"attribute", "ci", "identity", "item", "relationship"}

// feedSource is one source of changes: a table with one type of change in it.
type feedSource struct {
	changeType string
	rows       string // query for the changes of the window, with feedColumns
	scope      string // the table and conditions of the rows that the changes come from
	weight     string // upper bound of the number of changes of such a row
	ofCI       string // condition for rows and scope that a change may be one of @ci; @records are its records at any time
}

// feedColumns are the columns of the rows of all sources. n1, key and n2 are the order of changes
// of one type at one instant, record_id is the record that reported the change, other is the other
// CI of a relationship or merge.
const feedColumns = `at, n1, key, n2, action, ci, record_id, other, subject, old_item, new_item, old, new`

// within is the condition that a column is in the window: from @from until before @to.
func within(column string) string { return column + ` >= @from and ` + column + ` < @to` }

// feedSources are all sources of changes. In their SQL, e is an item_event, d a ci_version, i an
// identity_decision and r a relationship.
var feedSources = []feedSource{
	{
		changeType: "item",
		// The items of a record count while it is primary. The first items of a section have no
		// event.
		rows: `
			select e.at, e.record_id, s.name, c.n,
				case when c.old_item = 0 then 'added' when c.new_item = 0 then 'removed' else 'changed' end,
				m.ci_id, e.record_id, null::uuid, s.name, c.old_item, c.new_item, null::json, null::json
			from item_event e
			join assignment m on m.record_id = e.record_id and m.is_primary and ` + during(`e.at`)("m") + `
			join section s on s.id = e.section_id
			cross join lateral unnest(e.old_items, e.new_items) with ordinality c (old_item, new_item, n)
			where ` + within(`e.at`),
		scope:  `item_event e where ` + within(`e.at`),
		weight: `cardinality(e.old_items)`,
		ofCI:   `e.record_id = any(@records)`,
	},
	{
		changeType: "attribute",
		rows: `
			select d.valid_from, 0, d.ci_id::text || ' ' || a.name, 0,
				case when a.old is null then 'added' when a.new is null then 'removed' else 'changed' end,
				d.ci_id, null::bigint, null::uuid, a.name, 0, 0, a.old, a.new
			from ci_version d
			join lateral (` + versionBefore + `) p on p.valid_to = d.valid_from
			cross join lateral (
				select coalesce(o.key, n.key) as name, o.value::json as old, n.value::json as new
				from jsonb_each(` + versionValues("p") + `) o
				full join jsonb_each(` + versionValues("d") + `) n on n.key = o.key
				where o.value is distinct from n.value
			) a
			where ` + within(`d.valid_from`),
		scope: `ci_version d where ` + within(`d.valid_from`), weight: `1`,
		ofCI: `d.ci_id = @ci`,
	},
	{
		changeType: "ci", // created or restored
		rows: `
			select d.valid_from, 0, d.ci_id::text || ' begun', 0, case when p.valid_to is null then 'created' else 'restored' end,
				d.ci_id, null::bigint, null::uuid, d.class, 0, 0, null::json, null::json
			from ci_version d
			left join lateral (` + versionBefore + `) p on true
			where ` + within(`d.valid_from`) + ` and p.valid_to is distinct from d.valid_from`,
		scope: `ci_version d where ` + within(`d.valid_from`), weight: `1`,
		ofCI: `d.ci_id = @ci`,
	},
	{
		changeType: "ci", // merged, if another CI has its records from then on, or retired
		rows: `
			select d.valid_to, 0, d.ci_id::text || ' ended', 0, case when o.ci_id is null then 'retired' else 'merged' end,
				d.ci_id, null::bigint, o.ci_id, d.class, 0, 0, null::json, null::json
			from ci_version d
			left join lateral (
				select m.ci_id
				from source_record r join assignment m on m.record_id = r.id and ` + during(`d.valid_to`)("m") + `
				where r.default_ci = d.ci_id and m.ci_id <> d.ci_id
				order by r.id
				limit 1
			) o on not exists (select from assignment m where m.ci_id = d.ci_id and ` + during(`d.valid_to`)("m") + `)
			where ` + within(`d.valid_to`) + `
				and not exists (select from ci_version n where n.ci_id = d.ci_id and n.valid_from = d.valid_to)`,
		scope: `ci_version d where ` + within(`d.valid_to`), weight: `1`,
		ofCI: `d.ci_id = @ci`,
	},
	{
		changeType: "identity",
		rows: `
			select i.at, i.id, '', 0, i.action, i.new_ci, i.record_id, i.old_ci, i.rule, 0, 0,
				case when i.old_ci is not null then json_build_object('ci', i.old_ci, 'record', i.record_id) end,
				json_build_object('ci', i.new_ci, 'record', i.record_id)
			from identity_decision i
			where ` + within(`i.at`) + ` and i.action in ('linked', 'merged', 'split', 'moved')`,
		scope: `identity_decision i where ` + within(`i.at`), weight: `1`,
		ofCI: `(i.new_ci = @ci or i.old_ci = @ci)`,
	},
	relationshipChanges("began", "valid_from", during(`r.valid_from`), `null::json, `+relationshipValue,
		// Another relationship of the type between the two CIs was valid at that instant.
		`x.valid_from <= r.valid_from and x.valid_to > r.valid_from and (x.valid_from, x.id) < (r.valid_from, r.id)`),
	relationshipChanges("ended", "valid_to", until(`r.valid_to`), relationshipValue+`, null::json`,
		// Another relationship of the type between the two CIs is valid after that instant.
		`x.valid_from < r.valid_to and x.valid_to >= r.valid_to and (x.valid_to, x.id) > (r.valid_to, r.id)`),
}

// versionBefore is a query for the last version p of the CI of a version d before d. There may be a
// gap between the two.
const versionBefore = `
	select p.*
	from ci_version p
	where p.ci_id = d.ci_id and p.valid_from < d.valid_from
	order by p.valid_from desc
	limit 1`

// versionValues is a JSON object with all values of a version, its class and its name included.
func versionValues(alias string) string {
	return alias + `.attributes || jsonb_strip_nulls(jsonb_build_object(
		'class', ` + alias + `.class, 'name', nullif(` + alias + `.name, '')))`
}

// relationshipValue is the value of a relationship r with the assignments f and t of its ends.
const relationshipValue = `json_build_object('id', r.id, 'from', f.ci_id, 'to', t.ci_id, 'attributes', r.attributes)`

// relationshipChanges returns the source of the changes of relationships at a column: valid_from or
// valid_to. A relationship has no change if another relationship x meets the condition unless.
func relationshipChanges(action, column string, at moment, values, unless string) feedSource {
	return feedSource{
		changeType: "relationship",
		rows: `
			select r.` + column + `, r.id, '` + action + `', 0, '` + action + `',
				case when t.ci_id = @ci::uuid then t.ci_id else f.ci_id end, r.observer,
				case when t.ci_id = @ci::uuid then f.ci_id else t.ci_id end, r.type, 0, 0, ` + values + `
			from relationship r` + relationshipEnds(at) + `
			where ` + within(`r.`+column) + ` and ` + relationshipVisible + ` and ` + notRepeated(at, unless),
		scope: `relationship r where ` + within(`r.`+column), weight: `1`,
		ofCI: `(r.from_record = any(@records) or r.to_record = any(@records))`,
	}
}
