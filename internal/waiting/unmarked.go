package waiting

import (
	"maps"
	"sync"
	"time"
)

// unmarked are the items that were sent, and could not be marked as sent so far:
// they are not to be sent again.
type unmarked struct {
	mu  sync.Mutex
	ids map[Place]map[string]bool
}

func (u *unmarked) add(items []Item) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ids == nil {
		u.ids = map[Place]map[string]bool{}
	}
	for i := range items {
		place := items[i].Place()
		if u.ids[place] == nil {
			u.ids[place] = map[string]bool{}
		}
		u.ids[place][items[i].ID()] = true
	}
}

func (u *unmarked) remove(items []Item) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for i := range items {
		place := items[i].Place()
		delete(u.ids[place], items[i].ID())
		if len(u.ids[place]) == 0 {
			delete(u.ids, place)
		}
	}
}

func (u *unmarked) has(item *Item) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.ids[item.Place()][item.ID()]
}

// removeBefore forgets the places before a minute: nothing waits there, so what
// could not be marked is marked all the same.
func (u *unmarked) removeBefore(minute time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	first := DuePlace(minute, 0)
	maps.DeleteFunc(u.ids, func(place Place, _ map[string]bool) bool { return place < first })
}
