package cmdb

// changeTypes are the kinds of changes, in their order within an instant.
var changeTypes = []string{"attribute", "ci", "identity", "item", "relationship"}

// feedSource is one source of changes.
type feedSource struct {
	changeType string
	rows       string // the changes of the window, with feedColumns
	scope      string // what they are made of: tables and conditions
	weight     string // how many changes a row of those may be
	ofCI       string // a condition of both: only what may be of @ci, whose records at any time are @records
}

// feedColumns are those of the rows of all parts: n1, key and n2 are their order within the kind, record_id is who told
// of the change, and other is another CI.
const feedColumns = `at, n1, key, n2, action, ci, record_id, other, subject, old_item, new_item, old, new`

// within says that a column lies in the window.
func within(column string) string { return column + ` >= @from and ` + column + ` < @to` }

// feedSources are all sources of changes.
var feedSources = []feedSource{
	{
		changeType: "item",
		// A record's items count while it is shown. The first items of a section are no event.
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
		changeType: "ci", // that is there, for the first time or again
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
		changeType: "ci", // that is there no more: its records are another CI from then on, or a person retired it
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
	relationshipPart("began", "valid_from", during(`r.valid_from`), `null::json, `+relationshipValue,
		// It began where none of the kind held.
		`x.valid_from <= r.valid_from and x.valid_to > r.valid_from and (x.valid_from, x.id) < (r.valid_from, r.id)`),
	relationshipPart("ended", "valid_to", until(`r.valid_to`), relationshipValue+`, null::json`,
		// It ended where none of the kind goes on.
		`x.valid_from < r.valid_to and x.valid_to >= r.valid_to and (x.valid_to, x.id) > (r.valid_to, r.id)`),
}

// versionBefore is the version p of the CI of a version d that came before it, maybe not right before.
const versionBefore = `
	select p.*
	from ci_version p
	where p.ci_id = d.ci_id and p.valid_from < d.valid_from
	order by p.valid_from desc
	limit 1`

// versionValues are all values of a version, its class and its name among them.
func versionValues(alias string) string {
	return alias + `.attributes || jsonb_strip_nulls(jsonb_build_object('class', ` + alias + `.class, 'name', nullif(` + alias + `.name, '')))`
}

const relationshipValue = `json_build_object('id', r.id, 'from', f.ci_id, 'to', t.ci_id, 'attributes', r.attributes)`

func relationshipPart(action, column string, at moment, values, unless string) feedSource {
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
