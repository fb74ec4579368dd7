-- +goose Up
-- The store. Tables that grow with machines begin their keys with the machine's side (record_id), catalogs are
-- shared by the fleet. Times are the collector's: when it received what it was told.

create extension if not exists pg_trgm;

-- Who may talk -----------------------------------------------------------------------------------------------

create table certificate_authority (
    id          integer generated always as identity primary key,
    certificate bytea not null,                          -- DER
    sealed_key  bytea not null,                          -- PKCS #8, AES-256-GCM under the master key
    created_at  timestamptz not null default now()
);

create table api_token (
    id         uuid primary key,
    name       text not null,
    hash       bytea not null unique,                    -- SHA-256; the token itself is shown once
    created_at timestamptz not null default now(),
    revoked_at timestamptz
);

create table enrollment_token (
    id         uuid primary key,
    name       text not null,
    hash       bytea not null unique,
    max_uses   integer not null check (max_uses > 0),
    uses       integer not null default 0,
    network    cidr,                                     -- where agents may enroll from; null: anywhere
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz
);

-- Configuration items ----------------------------------------------------------------------------------------

create table ci (
    id         uuid primary key,
    created_at timestamptz not null                      -- first seen
);
create index ci_by_created_at on ci (created_at, id);

-- A version of what discovery says of a device; the current one is valid to infinity.
create table device (
    ci_id         uuid not null references ci,
    valid_from    timestamptz not null,
    valid_to      timestamptz not null default 'infinity',
    class         text not null,
    name          text not null,                         -- here and below: '' is unknown
    manufacturer  text not null,
    model         text not null,
    serial_number text not null,
    uuid          text not null,
    os_name       text not null,
    os_version    text not null,
    primary key (ci_id, valid_from),
    check (valid_from < valid_to)
);
create unique index device_current on device (ci_id) where valid_to = 'infinity';
-- The orders of the list of devices. Past versions are in them too, so that a list of the past is read in order.
create index device_by_name on device (name, ci_id);
create index device_by_class on device (class, ci_id);
create index device_by_manufacturer on device (manufacturer, ci_id);
create index device_by_model on device (model, ci_id);
create index device_by_serial_number on device (serial_number, ci_id);
create index device_by_uuid on device (uuid, ci_id);
create index device_by_os_name on device (os_name, ci_id);
create index device_by_os_version on device (os_version, ci_id);
create index device_search on device using gin (lower(name || E'\n' || serial_number || E'\n' || model) gin_trgm_ops);

-- Source records ---------------------------------------------------------------------------------------------

-- One row per source and what the source calls a machine. A CI is a set of source records.
create table source_record (
    id          bigint generated always as identity primary key,
    source      text not null,                           -- 'agent'
    native_key  bytea not null,                          -- agent: SHA-256 of the public key (SPKI)
    ci_id       uuid references ci,                      -- null until the first inventory
    forked_from bigint references source_record,         -- the record whose key this machine had a copy of
    created_at  timestamptz not null default now(),
    unique (source, native_key)
);
create index source_record_by_ci on source_record (ci_id);

create table agent (
    record_id      bigint primary key references source_record,
    agent_id       uuid not null unique,
    enrolled_with  uuid references enrollment_token,
    certificate_expires_at timestamptz not null,         -- of the last certificate issued
    revoked_at     timestamptz,
    revoke_reason  text,
    agent_version  text not null default '',
    -- The fence: a change is relative to a version, and of two changes to one version one wins.
    version        bigint not null default 0,
    changed_at     timestamptz,
    inventory_root bytea,
    token          bytea,                                -- the ratchet
    previous_token bytea,
    token_at       timestamptz,
    boot_id        text not null default '',
    hardware       jsonb not null default '{}',          -- family -> hash, as the agent says
    seen_at        timestamptz                           -- at least this recent; presence is fresher
) with (fillfactor = 80);

-- When each record checked in last. Unlogged: it costs no WAL, and after a crash agent.seen_at is still there.
create unlogged table presence (
    record_id bigint primary key,
    seen_at   timestamptz not null,
    stream    uuid not null                              -- the conversation it was seen in
) with (fillfactor = 50);

-- What the ratchet found out.
create table sync_incident (
    record_id bigint not null references source_record,
    at        timestamptz not null,
    type      text not null,                             -- 'rollback', 'clone'
    detail    jsonb not null,
    primary key (record_id, at)
);

-- What machines hold -----------------------------------------------------------------------------------------

create table section (
    id   smallint generated always as identity primary key,
    name text not null unique
);

-- One thing found on machines, interned for the whole fleet.
create table item (
    id         integer generated always as identity primary key,
    section_id smallint not null references section,
    key_hash   bigint not null,
    digest     uuid not null unique,
    facts      json not null                             -- canonical: in the order of the .proto
);

-- The tables from here to reading are written by Commit alone, under the fence of the record's row. They have no foreign
-- keys: checking some eighty rows per machine would cost as much as writing them.

create table section_state (
    record_id    bigint not null,
    section_id   smallint not null,
    root         bytea,                                  -- null: never collected
    superset     boolean not null,                       -- more is held than root says: a partial section removed nothing
    status       text not null,
    message      text not null,
    status_since timestamptz not null,
    duration_ms  integer not null,
    items        integer not null,
    first_at     timestamptz,                            -- when the first items came: the section's history begins
    changed_at   timestamptz not null,
    verdicts     jsonb,                                  -- of the last change; null: none
    primary key (record_id, section_id)
) with (fillfactor = 90);

create table section_status_past (
    record_id  bigint not null,
    section_id smallint not null,
    valid_from timestamptz not null,
    valid_to   timestamptz not null,
    status     text not null,
    message    text not null,
    primary key (record_id, section_id, valid_from)
);

-- A set of items that rows of item_set share. It never changes but for retired_at. Collectors add it when two rows
-- have much in common, and delete it a day after it was retired, once no row refers to it.
create table item_base (
    id         integer generated always as identity primary key,
    ids        integer[] not null,                       -- sorted
    created_at timestamptz not null default now(),
    retired_at timestamptz                               -- no longer chosen; null: in use
) with (toast_tuple_target = 8160);
alter table item_base alter ids set storage external;
create index item_base_ids on item_base using gin (ids); -- which bases hold an item

-- The current items of a record: the ids of the base without minus, and plus. Sections share the row with section_id 0
-- until they reach 33 items. Then a section has a row of its own for ever. An empty set has an empty plus.
create table item_set (
    record_id  bigint not null,
    section_id smallint not null,
    base_id    integer,                                  -- null: plus is the whole set
    plus       integer[] not null,                       -- sorted
    minus      integer[],                                -- sorted; null: none
    primary key (record_id, section_id)
) with (toast_tuple_target = 8160);
alter table item_set alter plus set storage external, alter minus set storage external;
create index item_set_plus on item_set using gin (plus); -- which rows hold an item beside their base
create index item_set_by_base on item_set (base_id, record_id) where base_id is not null; -- the rows of a base

-- What changed: pairs (old_items[i], new_items[i]), 0 for none. The first items of a section are no change; the
-- current set and the events after an instant give the set at that instant.
create table item_event (
    record_id  bigint not null,
    section_id smallint not null,
    at         timestamptz not null,
    old_items  integer[] not null,
    new_items  integer[] not null,
    primary key (record_id, at, section_id)
) partition by range (at);
create index item_event_by_time on item_event using brin (at) with (pages_per_range = 16);

-- The latest readings of a section's items, see internal/store/readings.go for the payload. The oldest row of a
-- section is the whole of it, later ones hold what came with changes since; the daily readings replace them all.
create table reading (
    record_id  bigint not null,
    section_id smallint not null,
    at         timestamptz not null,
    payload    bytea not null,
    primary key (record_id, section_id, at)
);

-- How many records hold an item: folded + pending, exact at every moment and free of hot rows. The log keeps
-- what was folded, so that the same can be said of the past.
create table item_count (
    item_id  integer primary key references item,
    installs integer not null
) with (fillfactor = 70);

create table item_count_pending (
    id       bigint generated always as identity primary key,
    at       timestamptz not null,
    item_ids integer[] not null,
    changes  integer[] not null
);

create table item_count_log (
    at       timestamptz not null,
    item_ids integer[] not null,
    changes  integer[] not null
);
create index item_count_log_by_time on item_count_log using brin (at);

-- Software: typed columns beside the interned items, because people search it ---------------------------------

create table software (
    id        integer generated always as identity primary key,
    digest    uuid not null unique,                      -- of the four columns below
    name      text not null,
    version   text not null,
    publisher text not null,
    source    text not null,
    search    text not null generated always as (lower(name || E'\n' || publisher)) stored
);
create index software_search on software using gin (search gin_trgm_ops);
create index software_in_order on software (left(name, 200), id);

create table software_item (
    item_id     integer primary key references item,
    software_id integer not null references software,
    arch        text not null,
    purl        text not null
);
create index software_item_by_software on software_item (software_id);

-- +goose StatementBegin
-- The software that items are installations of.
create function item_software(ids integer[]) returns table (
    item_id integer, digest uuid, name text, version text, publisher text, source text, arch text, purl text
) language sql stable as $$
    select
        i.id,
        md5(jsonb_build_array(f.name, f.version, f.publisher, f.source)::text)::uuid,
        f.name, f.version, f.publisher, f.source,
        coalesce(i.facts ->> 'arch', ''),
        coalesce(i.facts ->> 'purl', '')
    from item i
    cross join lateral (select
        coalesce(i.facts ->> 'name', '') as name,
        coalesce(i.facts ->> 'version', '') as version,
        coalesce(i.facts ->> 'publisher', '') as publisher,
        coalesce(i.facts ->> 'source', '') as source) f
    where i.id = any(ids)
$$;
-- +goose StatementEnd
