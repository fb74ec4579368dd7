package resolve

import (
	"slices"
	"testing"
)

func TestSetTake(t *testing.T) {
	t.Parallel()
	var s set[int64]
	if got := s.take(); len(got) != 0 {
		t.Errorf("take of the zero value: got %v, want nothing", got)
	}
	s.add(3, 1, 3)
	s.add(2)
	if got, want := s.take(), []int64{1, 2, 3}; !slices.Equal(got, want) {
		t.Errorf("take: got %v, want %v", got, want)
	}
	if len(s) != 0 {
		t.Errorf("after take: got %v, want an empty set", s)
	}
}
