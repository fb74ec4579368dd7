package items

import (
	"context"
	"fmt"
	"sync"
)

// sectionIDs caches the ids of section names. They are few and never change.
type sectionIDs struct {
	mu    sync.RWMutex
	ids   map[string]int16
	names map[int16]string
}

func newSectionIDs() *sectionIDs {
	return &sectionIDs{ids: map[string]int16{}, names: map[int16]string{}}
}

// sectionID returns the id of a section and inserts the section if its name is new.
func (s *Store) sectionID(ctx context.Context, name string) (int16, error) {
	s.sections.mu.RLock()
	id, ok := s.sections.ids[name]
	s.sections.mu.RUnlock()
	if ok {
		return id, nil
	}
	// A conflict would use up one of the few ids of a smallint: the statement checks first.
	if _, err := s.Pool.Exec(ctx, `
		insert into section (name)
		select $1 where not exists (select from section where name = $1)
		on conflict do nothing`, name); err != nil {
		return 0, fmt.Errorf("add section %s: %w", name, err)
	}
	if err := s.Pool.QueryRow(ctx, `select id from section where name = $1`, name).Scan(&id); err != nil {
		return 0, fmt.Errorf("find section %s: %w", name, err)
	}
	s.sections.mu.Lock()
	defer s.sections.mu.Unlock()
	s.sections.ids[name], s.sections.names[id] = id, name
	return id, nil
}

// get returns the id of a section that sectionID has returned before.
func (c *sectionIDs) get(name string) int16 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.ids[name]
}
