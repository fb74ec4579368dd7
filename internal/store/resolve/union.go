package resolve

// union is a set of groups that can be joined.
type union map[int64]int64

func newUnion(members []int64) union {
	u := make(union, len(members))
	for _, m := range members {
		u[m] = m
	}
	return u
}

func (u union) find(m int64) int64 {
	for u[m] != m {
		m = u[m]
	}
	return m
}

func (u union) has(m int64) bool {
	_, ok := u[m]
	return ok
}

// join makes one group of those of two members. Who is no member joins nothing.
func (u union) join(a, b int64) {
	if !u.has(a) || !u.has(b) {
		return
	}
	a, b = u.find(a), u.find(b)
	u[max(a, b)] = min(a, b)
}
