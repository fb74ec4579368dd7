package sqlitefile

import (
	"fmt"
	"iter"
	"math"
	"slices"
)

// The types of pages of a table's b-tree (§1.6).
const (
	interiorTable = 5
	leafTable     = 13
)

// maxDepth bounds the depth of a b-tree, as in SQLite (BTCURSOR_MAX_DEPTH).
const maxDepth = 20

// walk is the state of one iteration over a table.
type walk struct {
	file     *File
	visited  uint32   // pages visited; more than the file has means a cycle
	left     int64    // bytes that the remaining rows may have; starts at the file's size, because rows do not overlap
	levels   [][]byte // the page at each depth
	overflow []byte   // an overflow page
	record   []byte   // content of a row that does not fit its page
	yield    func(Row, error) bool
}

// rows iterates over the rows of the table whose b-tree has its root in page root.
func (f *File) rows(root uint32) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		w := &walk{file: f, overflow: make([]byte, f.pageSize), yield: yield}
		w.left = int64(f.pages) * int64(f.pageSize)
		w.page(root, 0)
	}
}

// page iterates over the rows of a page and of the pages below it. It returns false to stop the
// iteration.
func (w *walk) page(number uint32, depth int) bool {
	w.visited++
	if depth == maxDepth || w.visited > w.file.pages {
		w.yield(Row{}, fmt.Errorf("%w: page %d is part of a cycle", ErrFormat, number))
		return false
	}
	if depth == len(w.levels) {
		w.levels = append(w.levels, make([]byte, w.file.pageSize))
	}
	page := w.levels[depth]
	if err := w.file.readPage(number, page); err != nil {
		return w.yield(Row{}, err)
	}
	start := 0
	if number == schemaRoot {
		start = headerLength
	}
	switch page[start] {
	case interiorTable:
		return w.interior(page, start, number, depth)
	case leafTable:
		return w.leaf(page, start, number)
	default:
		return w.yield(Row{}, fmt.Errorf("%w: page %d has type %d", ErrFormat, number, page[start]))
	}
}

// The headers of b-tree pages: number of cells at 3, right-most child at 8, then the cell pointers
// (§1.6).
const (
	cellCountAt        = 3
	rightChildAt       = 8
	leafHeaderLength   = 8
	branchHeaderLength = 12
)

// cells yields the offset of each cell of the page; false marks a cell outside the page.
func (w *walk) cells(page []byte, start, pointers int) iter.Seq2[int, bool] {
	return func(yield func(int, bool) bool) {
		first := start + pointers
		for i := range uint16At(page, start+cellCountAt) {
			at := first + 2*i
			if at+2 > w.file.usable {
				yield(0, false)
				return
			}
			cell := uint16At(page, at)
			if !yield(cell, cell >= first && cell+4 <= w.file.usable) {
				return
			}
		}
	}
}

func (w *walk) interior(page []byte, start int, number uint32, depth int) bool {
	for cell, ok := range w.cells(page, start, branchHeaderLength) {
		if !ok {
			if !w.yield(Row{}, fmt.Errorf("%w: cell outside page %d", ErrFormat, number)) {
				return false
			}
			continue
		}
		if !w.page(uint32At(page, cell), depth+1) {
			return false
		}
	}
	return w.page(uint32At(page, start+rightChildAt), depth+1)
}

func (w *walk) leaf(page []byte, start int, number uint32) bool {
	for cell, ok := range w.cells(page, start, leafHeaderLength) {
		var row Row
		err := fmt.Errorf("%w: cell outside page %d", ErrFormat, number)
		if ok {
			row, err = w.row(page[cell:w.file.usable], number)
		}
		if !w.yield(row, err) || w.left < 0 {
			return false
		}
	}
	return true
}

// row reads a cell of a leaf: payload length, row ID, payload, and the first overflow page if the
// payload is too long for the cell (§1.6).
func (w *walk) row(cell []byte, number uint32) (Row, error) {
	length, n := varint(cell)
	id, m := varint(cell[n:])
	if n == 0 || m == 0 || length > math.MaxInt32 { // SQLite's own limit is 1 GB
		return Row{}, fmt.Errorf("%w: row of %d bytes in page %d", ErrFormat, length, number)
	}
	if w.left -= int64(length) + int64(n+m); w.left < 0 {
		return Row{}, fmt.Errorf("%w: rows are longer than the file", ErrFormat)
	}
	row := Row{ID: int64(id)} //nolint:gosec // row ids are signed, in two's complement
	payload, total := cell[n+m:], int(length)
	local := w.local(total)
	if local == total && total <= len(payload) {
		row.record = payload[:total]
		return row, nil
	}
	if local+4 > len(payload) {
		return Row{}, fmt.Errorf("%w: row exceeds page %d", ErrFormat, number)
	}
	w.record = append(slices.Grow(w.record[:0], total), payload[:local]...)
	err := w.follow(uint32At(payload, local), total)
	row.record = w.record
	return row, err
}

// local returns how much of a payload is in its cell. P, X, M and K are the names of §1.6.
func (w *walk) local(p int) int {
	u := w.file.usable
	x, m := u-35, (u-12)*32/255-23
	if p <= x {
		return p
	}
	if k := m + (p-m)%(u-4); k <= x {
		return k
	}
	return m
}

// follow appends the content of the overflow pages to the record. Each page adds bytes, so a cycle
// of pages ends with the record.
func (w *walk) follow(next uint32, total int) error {
	for len(w.record) < total {
		if err := w.file.readPage(next, w.overflow); err != nil {
			return fmt.Errorf("row of %d bytes: %w", total, err)
		}
		next = uint32At(w.overflow, 0)
		content := w.overflow[4:w.file.usable]
		w.record = append(w.record, content[:min(len(content), total-len(w.record))]...)
	}
	return nil
}
