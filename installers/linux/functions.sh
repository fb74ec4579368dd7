# Shared by the scripts of the packages, which package.sh puts after it. NAME is the program.

# make_user makes the system user of the collector. The agent's user exists only while it runs.
make_user() {
	[ "$NAME" = muster-collector ] || return 0
	if getent passwd "$NAME" >/dev/null 2>&1 || grep -q "^$NAME:" /etc/passwd; then return 0; fi
	if command -v useradd >/dev/null; then
		useradd --system --user-group --no-create-home --home-dir "/var/lib/$NAME" \
			--shell /usr/sbin/nologin --comment 'Muster collector' "$NAME"
	else # Alpine
		addgroup -S "$NAME"
		adduser -S -D -H -h "/var/lib/$NAME" -s /sbin/nologin -G "$NAME" -g 'Muster collector' "$NAME"
	fi
}

# remove_user removes it, with its data gone.
remove_user() {
	[ "$NAME" = muster-collector ] || return 0
	if command -v userdel >/dev/null; then
		userdel "$NAME" >/dev/null 2>&1 || true
	else
		deluser "$NAME" >/dev/null 2>&1 || true
	fi
}

booted() { [ -d /run/systemd/system ]; }

# configured is true if the service can do its work. An agent without an enrollment, or settings to
# enroll with, would only fail.
configured() {
	[ "$NAME" = muster-agent ] || return 0
	[ -e /var/lib/muster-agent/identity.json ] || grep -q '^[[:space:]]*MUSTER_COLLECTOR=.' /etc/muster/agent.env 2>/dev/null
}

# start starts the service, or restarts it with the new program. A service that cannot start must
# not make the installation fail.
start() {
	booted || return 0
	systemctl daemon-reload || true
	if configured; then
		systemctl restart "$NAME.service" || true
	else
		echo "$NAME: not enrolled. Set MUSTER_COLLECTOR, MUSTER_CA_PIN and MUSTER_TOKEN in" \
			"/etc/muster/agent.env, then: systemctl restart $NAME"
	fi
}

# purge removes what the service has written.
purge() {
	rm -rf "/var/lib/$NAME" "/var/lib/private/$NAME"
	rmdir /etc/muster 2>/dev/null || true
	remove_user
}
