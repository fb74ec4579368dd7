package cmdb

// itemsOfRow is a lateral subquery of a row s of item_set and its base b, which may be null. Its
// sums of n by item are 1 for the items of the set and 0 for the others.
const itemsOfRow = `(
	select unnest(s.plus) as item_id, 1 as n union all select unnest(b.ids), 1 union all select unnest(s.minus), -1
)`

// itemsAt is a query for the items that a section of a record held at an instant (column item_id,
// no duplicates). It takes the current item set and reverses every event after the instant. The
// alias names a row with the columns record_id and section_id; at is an SQL expression.
func itemsAt(alias, at string) string {
	ofSection := `e.record_id = ` + alias + `.record_id and e.section_id = ` + alias + `.section_id and e.at > ` + at
	return `
		select i.item_id
		from (
			select y.item_id, y.n
			from item_set s
			left join item_base b on b.id = s.base_id
			cross join lateral ` + itemsOfRow + ` y
			where s.record_id = ` + alias + `.record_id and s.section_id in (0, ` + alias + `.section_id)
			union all
			select unnest(e.new_items), -1 from item_event e where ` + ofSection + `
			union all
			select unnest(e.old_items), 1 from item_event e where ` + ofSection + `
		) i
		join item t on t.id = i.item_id and t.section_id = ` + alias + `.section_id -- the row 0 has other sections, too
		group by i.item_id
		having sum(i.n) > 0`
}
