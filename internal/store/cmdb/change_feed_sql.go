package cmdb

import (
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

// scoped is a condition that a statement's end may have to have.
func (p feedSource) scoped(sql string, ofCI bool) string {
	if ofCI {
		return sql + ` and ` + p.ofCI
	}
	return sql
}

// countChangesOfAll adds up how many changes there may be in a window. Of each part no more than @enough rows are looked at.
func countChangesOfAll(parts []feedSource, ofCI bool) string {
	var counts []string
	for _, part := range parts {
		counts = append(counts, `select coalesce(sum(i.n), 0) from (
			select `+part.weight+` as n from `+part.scoped(part.scope, ofCI)+` limit @enough) i`)
	}
	return `select sum(c.n)::integer as n from (` + strings.Join(counts, ` union all `) + `) c (n)`
}

// feedOrder is the order of changes of a table, whatever the database sorts names by.
func feedOrder(t string) string {
	return ` order by ` + t + `.at, ` + t + `.type collate "C", ` + t + `.n1, ` + t + `.key collate "C", ` + t + `.n2`
}

// listAllChanges lists the changes of a window. What a change is about is looked up for those alone that are listed.
func listAllChanges(parts []feedSource, ofCI bool) string {
	var rows []string
	for _, part := range parts {
		rows = append(rows, `select p.*, '`+part.changeType+`' as type from (`+part.scoped(part.rows, ofCI)+`) p (`+feedColumns+`)`)
	}
	return `
		select y.at, y.type, y.n1, y.key, y.n2, y.action, y.ci::text as ci, y.class, y.name, y.source, y.subject,
			coalesce(y.other_name, '') as other, coalesce(y.old, o.facts) as old, coalesce(y.new, i.facts) as new,
			` + feedActor + ` as actor, ` + feedReason + ` as reason
		from (
			select x.*, coalesce(v.class, '') as class, coalesce(v.name, '') as name, u.name as other_name,
				coalesce(` + feedSourceSQL + `, '') as source
			from (` + strings.Join(rows, ` union all `) + `) x` + latestVersion("v", "x.ci") + latestVersion("u", "x.other") + `
			where (@after_at::timestamptz is null
					or (x.at, x.type collate "C", x.n1, x.key collate "C", x.n2)
						> (@after_at, @after_kind::text, @after_n1::bigint, @after_key::text, @after_n2::bigint))
				and (@classes::text[] is null or v.class = any(@classes) or x.type = 'relationship' and u.class = any(@classes))
				and (@ci::uuid is null or x.ci = @ci or x.other = @ci)
				and (@source::text = '' or ` + feedSourceSQL + ` = @source)
			` + feedOrder("x") + `
			limit @limit
		) y
		left join item o on o.id = y.old_item
		left join item i on i.id = y.new_item` + feedAudit + feedOrder("y")
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
	from assignment m join source_record s on s.id = m.record_id
	where m.ci_id = x.ci and m.valid_from <= x.at and m.valid_to >= x.at
	order by s.default_ci <> m.ci_id, s.created_at, s.id
	limit 1)`

// feedSourceSQL is who told of a change x. A value comes from where its version says, one that is gone from where the
// version before said.
const feedSourceSQL = `
	case x.type
	when 'attribute' then coalesce(
		case when x.action = 'removed'
			then (select d.provenance -> x.subject ->> 'source' from ci_version d where d.ci_id = x.ci and d.valid_to = x.at)
			else (select d.provenance -> x.subject ->> 'source' from ci_version d where d.ci_id = x.ci and d.valid_from = x.at)
		end, ` + firstSource + `)
	when 'ci' then case
		when x.action in ('retired', 'restored') and exists (select from audit_entry a where a.at = x.at) then '` + inventory.SourceManual + `'
		when x.action = 'restored' then ''
		else ` + firstSource + ` end
	when 'relationship' then coalesce((select s.source from source_record s where s.id = x.record_id), '` + inventory.SourceManual + `')
	else (select s.source from source_record s where s.id = x.record_id)
	end`

// feedAudit says who made a change y and why, if it was a person: what happened to CIs at the time of an act, its person
// did. Who states relationships does nothing else.
const feedAudit = `
	left join relationship s on y.type = 'relationship' and s.id = y.n1
	left join audit_entry w on y.type in ('attribute', 'ci', 'identity') and w.at = y.at`

const (
	feedActor  = `coalesce(w.actor, case y.action when 'began' then s.actor else s.ended_by end, '')`
	feedReason = `coalesce(w.reason, case y.action when 'began' then s.reason else s.end_reason end, '')`
)
