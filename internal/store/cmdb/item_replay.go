package cmdb

// itemsAt is a query for the items that a section of a record held at an instant (column item_id, no
// duplicates). It takes the current item set and reverses every event after the instant. The alias names
// a row with the columns record_id and section_id; at is an SQL expression.
func itemsAt(alias, at string) string {
	ofSection := func(table string) string {
		return table + `.record_id = ` + alias + `.record_id and ` + table + `.section_id = ` + alias + `.section_id`
	}
	return `
		select i.item_id
		from (
			select unnest(s.ids) as item_id, 1 as n from item_set s where ` + ofSection("s") + `
			union all
			select unnest(e.new_items), -1 from item_event e where ` + ofSection("e") + ` and e.at > ` + at + `
			union all
			select unnest(e.old_items), 1 from item_event e where ` + ofSection("e") + ` and e.at > ` + at + `
		) i
		where i.item_id <> 0 -- 0 stands for no item in an event that added or removed one
		group by i.item_id
		having sum(i.n) > 0`
}
