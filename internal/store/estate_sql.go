package store

import "strings"

// scoped is a condition that a statement's end may have to have.
func (p estatePart) scoped(sql string, ofCI bool) string {
	if ofCI {
		return sql + ` and ` + p.ofCI
	}
	return sql
}

// countEstate adds up how many changes there may be in a window. Of each part no more than @enough rows are looked at.
func countEstate(parts []estatePart, ofCI bool) string {
	var counts []string
	for _, part := range parts {
		counts = append(counts, `select coalesce(sum(i.n), 0) from (
			select `+part.weight+` as n from `+part.scoped(part.within, ofCI)+` limit @enough) i`)
	}
	return `select sum(c.n)::integer as n from (` + strings.Join(counts, ` union all `) + `) c (n)`
}

// estateOrder is the order of changes, whatever the database sorts names by.
const estateOrder = ` order by at, kind collate "C", n1, key collate "C", n2`

// listEstate lists the changes of a window. What a change is about is looked up for those alone that are listed.
func listEstate(parts []estatePart, ofCI bool) string {
	var rows []string
	for _, part := range parts {
		rows = append(rows, `select p.*, '`+part.kind+`' as kind from (`+part.scoped(part.rows, ofCI)+`) p (`+estateColumns+`)`)
	}
	return `
		select y.at, y.kind, y.n1, y.key, y.n2, y.action, y.ci::text as ci, y.class, y.name, y.source, y.subject,
			coalesce(y.other_name, '') as other, coalesce(y.old, o.facts) as old, coalesce(y.new, w.facts) as new,
			coalesce(` + estateActor + `, '') as actor
		from (
			select x.*, coalesce(v.class, '') as class, coalesce(v.name, '') as name, u.name as other_name,
				coalesce(` + estateSource + `, '') as source
			from (` + strings.Join(rows, ` union all `) + `) x` + latestVersion("v", "x.ci") + latestVersion("u", "x.other") + `
			where (@after_at::timestamptz is null
					or (x.at, x.kind collate "C", x.n1, x.key collate "C", x.n2)
						> (@after_at, @after_kind::text, @after_n1::bigint, @after_key::text, @after_n2::bigint))
				and (@classes::text[] is null or v.class = any(@classes) or x.kind = 'relationship' and u.class = any(@classes))
				and (@ci::uuid is null or x.ci = @ci or x.other = @ci)
				and (@source::text = '' or ` + estateSource + ` = @source)
			` + estateOrder + `
			limit @limit
		) y
		left join item o on o.id = y.old_item
		left join item w on w.id = y.new_item` + estateOrder
}

// latestVersion is what a CI was at the time of a change x, or was last.
func latestVersion(alias, ci string) string {
	return `
		left join lateral (
			select l.class, l.name
			from ci_version l
			where l.ci_id = ` + ci + ` and l.valid_from <= x.at
			order by l.valid_from desc
			limit 1
		) ` + alias + ` on true`
}

// firstSource is the source of a CI that has but one, about the time of a change x.
const firstSource = `(
	select s.source
	from membership m join source_record s on s.id = m.record_id
	where m.ci_id = x.ci and m.valid_from <= x.at and m.valid_to >= x.at
	order by s.home <> m.ci_id, s.created_at, s.id
	limit 1)`

// estateSource is who told of a change x. A value comes from where its version says, one that is gone from where the
// version before said.
const estateSource = `
	case x.kind
	when 'attribute' then coalesce(
		case when x.action = 'removed'
			then (select d.provenance -> x.subject ->> 'source' from ci_version d where d.ci_id = x.ci and d.valid_to = x.at)
			else (select d.provenance -> x.subject ->> 'source' from ci_version d where d.ci_id = x.ci and d.valid_from = x.at)
		end, ` + firstSource + `)
	when 'ci' then case x.action when 'retired' then '` + sourceManual + `' else ` + firstSource + ` end
	when 'relationship' then coalesce((select s.source from source_record s where s.id = x.record_id), '` + sourceManual + `')
	else (select s.source from source_record s where s.id = x.record_id)
	end`

// estateActor is the person who made a change y, if it was one: what happened to a CI at one instant, one person did.
var estateActor = `
	case y.kind
	when 'identity' then (select i.actor from identity_decision i where i.id = y.n1)
	when 'ci' then (select i.actor from identity_decision i where i.new_ci = y.ci and i.at = y.at and i.actor <> '' limit 1)
	when 'relationship' then (select case y.action when 'began' then r.actor else r.ended_by end from relationship r where r.id = y.n1)
	when 'attribute' then coalesce((
			select s.actor
			from membership m join record_version s on s.record_id = m.record_id and s.valid_from = y.at and s.actor <> ''
			where m.ci_id = y.ci and ` + during(`y.at`)("m") + `
			limit 1
		), (
			select case when l.locked_at = y.at then l.actor else l.released_by end
			from membership m join attribute_lock l on l.record_id = m.record_id and y.at in (l.locked_at, l.released_at)
			where m.ci_id = y.ci and l.attribute = y.subject and ` + during(`y.at`)("m") + `
			order by l.locked_at desc
			limit 1
		))
	end`
