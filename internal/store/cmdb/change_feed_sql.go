package cmdb

import (
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

// scoped adds the condition ofCI of a source to a statement, if the feed is that of one CI.
func (s feedSource) scoped(sql string, ofCI bool) string {
	if ofCI {
		return sql + ` and ` + s.ofCI
	}
	return sql
}

// countChangesOfAll is a query for an upper bound of the number of changes in a window (column n).
// It reads at most @enough rows of each source.
func countChangesOfAll(sources []feedSource, ofCI bool) string {
	var counts []string
	for _, source := range sources {
		counts = append(counts, `select coalesce(sum(i.n), 0) from (
			select `+source.weight+` as n from `+source.scoped(source.scope, ofCI)+` limit @enough) i`)
	}
	return `select sum(c.n)::integer as n from (` + strings.Join(counts, ` union all `) + `) c (n)`
}

// feedOrder sorts the changes of a table t, with feedColumns and type. The order does not depend on
// the collation of the database.
func feedOrder(t string) string {
	return ` order by ` + t + `.at, ` + t + `.type collate "C", ` + t + `.n1, ` + t + `.key collate "C", ` + t + `.n2`
}

// listAllChanges is a query for the changes of a window: x are the changes of all sources, and y
// those to list. Items and audit entries are joined to y only, after the limit.
func listAllChanges(sources []feedSource, ofCI bool) string {
	var rows []string
	for _, source := range sources {
		rows = append(rows, `
			select p.*, '`+source.changeType+`' as type
			from (`+source.scoped(source.rows, ofCI)+`) p (`+feedColumns+`)`)
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
						> (@after_at, @after_type::text, @after_n1::bigint, @after_key::text, @after_n2::bigint))
				and (@classes::text[] is null or v.class = any(@classes)
					or x.type = 'relationship' and u.class = any(@classes))
				and (@ci::uuid is null or x.ci = @ci or x.other = @ci)
				and (@source::text = '' or ` + feedSourceSQL + ` = @source)
			` + feedOrder("x") + `
			limit @limit
		) y
		left join item o on o.id = y.old_item
		left join item i on i.id = y.new_item` + feedAudit + feedOrder("y")
}

// latestVersion joins the class and the name that a CI had at the time of a change x, or before it
// if the CI had no version then. ci is an SQL expression.
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

// firstSource is the source of the first record of the CI of a change x, at or just before the time
// of the change.
const firstSource = `(
	select s.source
	from assignment m join source_record s on s.id = m.record_id
	where m.ci_id = x.ci and m.valid_from <= x.at and m.valid_to >= x.at
	order by s.default_ci <> m.ci_id, s.created_at, s.id
	limit 1)`

// feedSourceSQL is the source of a change x. For an attribute it is in the provenance of the
// version, for a removed attribute in that of the version before.
const feedSourceSQL = `
	case x.type
	when 'attribute' then coalesce(
		case when x.action = 'removed'
			then (select d.provenance -> x.subject ->> 'source' from ci_version d where d.ci_id = x.ci and d.valid_to = x.at)
			else (select d.provenance -> x.subject ->> 'source' from ci_version d where d.ci_id = x.ci and d.valid_from = x.at)
		end, ` + firstSource + `)
	when 'ci' then case
		when x.action in ('retired', 'restored') and exists (select from audit_entry a where a.at = x.at)
			then '` + inventory.SourceManual + `'
		when x.action = 'restored' then ''
		else ` + firstSource + ` end
	when 'relationship' then coalesce(
		(select s.source from source_record s where s.id = x.record_id), '` + inventory.SourceManual + `')
	else (select s.source from source_record s where s.id = x.record_id)
	end`

// feedAudit joins, for a change y, the relationship s or the audit entry w with the person who made
// it and the reason. Every change of a CI at the instant of an audit entry belongs to that entry.
// Declared relationships have no audit entry.
const feedAudit = `
	left join relationship s on y.type = 'relationship' and s.id = y.n1
	left join audit_entry w on y.type in ('attribute', 'ci', 'identity') and w.at = y.at`

// The actor and the reason of a change y with the tables of feedAudit.
const (
	feedActor  = `coalesce(w.actor, case y.action when 'began' then s.actor else s.ended_by end, '')`
	feedReason = `coalesce(w.reason, case y.action when 'began' then s.reason else s.end_reason end, '')`
)
