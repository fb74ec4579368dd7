package host

import (
	"fmt"
	"time"

	gopsutil "github.com/shirou/gopsutil/v4/host"
)

func loggedOn() ([]LoggedOn, error) {
	users, err := gopsutil.Users()
	if err != nil {
		return nil, fmt.Errorf("logged-on users: %w", err)
	}
	sessions := make([]LoggedOn, len(users))
	for i, u := range users {
		sessions[i] = LoggedOn{User: u.User, Terminal: u.Terminal, From: u.Host, Since: time.Unix(int64(u.Started), 0)}
	}
	return sessions, nil
}
