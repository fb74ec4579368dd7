-- +goose Up
-- Who did what and why, for all that people do; which machines containers say that they see.

-- A resolution that a person caused: all that happened to CIs at its time, the person did.
create table audit_entry (
    at     timestamptz primary key,
    actor  text not null,
    reason text not null                                 -- '': none was given
);
insert into audit_entry (at, actor, reason)
select distinct on (a.at) a.at, a.actor, a.reason
from (
    select valid_from, actor, reason from record_version
    union all select locked_at, actor, reason from attribute_lock
    union all select released_at, released_by, '' from attribute_lock
    union all select created_at, actor, reason from identity_constraint
    union all select revoked_at, revoked_by, '' from identity_constraint
    union all select closed_at, actor, note from review
    union all select at, actor, '' from identity_decision
    union all select undone_at, undone_by, '' from identity_decision
) a (at, actor, reason)
where a.at is not null and a.actor <> ''
order by a.at, a.reason = '';
alter table record_version drop column actor, drop column reason;
alter table attribute_lock drop column released_by;
alter table identity_constraint drop column revoked_by;
alter table identity_decision drop column undone_by;

-- A version that ended because its CI was retired, or was a part that is there no more, says so for ever, also when the CI
-- came back since.
alter table ci_version add column retired boolean not null default false;
update ci_version d set retired = true from ci c where c.id = d.ci_id and c.retired_at = d.valid_to;

-- What its life-cycle state says is gone, and is heard of nevertheless, is looked at each time.
alter table ci add column disposed boolean not null default false;

-- Relationships that people state are no resolutions.
alter table relationship
    add column reason     text not null default '',
    add column end_reason text not null default '',
    add column key        text not null default '',      -- what its observer calls the part
    add column declared     boolean not null default false, -- a list says so: it is part of no inventory that could be hidden
    add column idle       boolean not null default false; -- the part is there now and not in use, such as a guest that is shut off
update relationship set key = coalesce(attributes ->> 'key', ''), attributes = attributes - 'key' where observer is not null;

-- The tokens of the machine whose hardware a container sees: it runs there, whoever of the two is heard of first.
alter table evidence add column hosts text[] not null default '{}';
create index evidence_hosts on evidence using gin (hosts) where hosts <> '{}';

alter table section_state alter column duration_ms drop not null; -- null: what was imported does not say
