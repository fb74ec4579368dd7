-- +goose Up
-- The schema of the store. Tables that grow with the number of machines begin their keys with the
-- machine's side (record_id); catalogs are shared by all machines. Instants are those of the
-- database's clock. A row with valid_from and valid_to is a version: it holds from valid_from until
-- before valid_to, and the current one is valid to 'infinity'.

create extension if not exists pg_trgm;

-- Access ------------------------------------------------------------------------------------------

-- The certificate authority that signs agents' certificates. The collector that starts first writes
-- the one row.
create table certificate_authority (
    id          integer generated always as identity primary key,
    certificate bytea not null,                          -- DER
    sealed_key  bytea not null, -- PKCS #8, AES-256-GCM under the master key
    created_at  timestamptz not null default now()
);

-- Tokens for the API, which administrators create and revoke. Rows are kept.
create table api_token (
    id         uuid primary key,
    name       text not null,
    hash       bytea not null unique,                    -- SHA-256; the token itself is shown once
    created_at timestamptz not null default now(),
    revoked_at timestamptz
);

-- Tokens that agents enroll with, which administrators create and revoke. Rows are kept.
create table enrollment_token (
    id         uuid primary key,
    name       text not null,
    hash       bytea not null unique,                    -- SHA-256
    max_uses   integer not null check (max_uses > 0),
    network    cidr, -- where agents may enroll from; null: anywhere
    approval   text not null default 'automatic' check (approval in ('automatic', 'manual')),
    serial_numbers text[] not null default '{}', -- of the machines that may enroll, folded; empty: any
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz
);

-- The uses of an enrollment token that remain, in up to 16 rows. An enrollment takes one from a row
-- that no other enrollment has locked, so that they do not wait for each other.
create table enrollment_token_uses (
    token_id  uuid not null references enrollment_token,
    part      smallint not null,
    remaining integer not null check (remaining >= 0),
    primary key (token_id, part)
) with (fillfactor = 50);

-- Classes, attributes and relationship types: data, so that people can add to them ----------------

-- The tree of CI classes. Some are built in; people add others.
create table ci_class (
    name        text primary key,
    parent      text references ci_class,                -- null: the root
    label       text not null,
    description text not null default '',
    built_in    boolean not null default false,
    created_at  timestamptz not null default now()
);

-- The attributes of classes. A class inherits those of the classes above it.
create table ci_attribute (
    class       text not null references ci_class,
    name        text not null,
    type        text not null check (type in ('text', 'integer', 'number', 'boolean', 'date', 'timestamp', 'choice')),
    choices     text[] not null default '{}',
    label       text not null,
    description text not null default '',
    built_in    boolean not null default false,
    created_at  timestamptz not null default now(),
    primary key (class, name)
);

-- The types of relationships, and between which classes they are allowed.
create table relationship_type (
    name         text primary key,
    verb         text not null,
    inverse_verb text not null,
    from_class   text not null references ci_class,
    to_class     text not null references ci_class,
    impact       text not null check (impact in ('none', 'from_suffers', 'to_suffers')),
    built_in     boolean not null default false,
    created_at   timestamptz not null default now()
);

insert into ci_class (name, parent, label, built_in) values
    ('ci', null, 'Configuration item', true),
    ('computer', 'ci', 'Computer', true),
    ('desktop', 'computer', 'Desktop', true),
    ('laptop', 'computer', 'Laptop', true),
    ('server', 'computer', 'Server', true),
    ('virtual_machine', 'computer', 'Virtual machine', true),
    ('container', 'computer', 'Container', true),
    ('monitor', 'ci', 'Monitor', true),
    ('printer', 'ci', 'Printer', true),
    ('storage_device', 'ci', 'Storage device', true),
    ('network_interface', 'ci', 'Network interface', true),
    ('network_device', 'ci', 'Network device', true),
    ('peripheral', 'ci', 'Peripheral', true),
    ('operating_system_installation', 'ci', 'Operating system installation', true),
    ('software_title', 'ci', 'Software title', true),
    ('person', 'ci', 'Person', true),
    ('location', 'ci', 'Location', true),
    ('organization', 'ci', 'Organization', true),
    ('business_service', 'ci', 'Business service', true),
    ('network', 'ci', 'Network', true);

insert into ci_attribute (class, name, type, choices, label, built_in) values
    ('ci', 'description', 'text', '{}', 'Description', true),
    ('ci', 'manufacturer', 'text', '{}', 'Manufacturer', true),
    ('ci', 'model', 'text', '{}', 'Model', true),
    ('ci', 'serial_number', 'text', '{}', 'Serial number', true),
    ('ci', 'asset_tag', 'text', '{}', 'Asset tag', true),
    ('ci', 'owner', 'text', '{}', 'Owner', true),
    ('ci', 'custodian', 'text', '{}', 'Custodian', true),
    ('ci', 'location', 'text', '{}', 'Location', true),
    ('ci', 'department', 'text', '{}', 'Department', true),
    ('ci', 'cost_center', 'text', '{}', 'Cost center', true),
    ('ci', 'lifecycle_state', 'choice', '{ordered,received,in_stock,in_use,in_repair,retired,disposed,lost}', 'Life-cycle state', true),
    ('ci', 'purchase_order', 'text', '{}', 'Purchase order', true),
    ('ci', 'supplier', 'text', '{}', 'Supplier', true),
    ('ci', 'cost', 'number', '{}', 'Cost', true),
    ('ci', 'currency', 'text', '{}', 'Currency', true),
    ('ci', 'purchase_date', 'date', '{}', 'Purchase date', true),
    ('ci', 'warranty_end', 'date', '{}', 'Warranty end', true),
    ('ci', 'approved_to_connect', 'boolean', '{}', 'Approved to connect', true),
    ('computer', 'uuid', 'text', '{}', 'UUID', true),
    ('computer', 'chassis_type', 'text', '{}', 'Chassis type', true),
    ('computer', 'hypervisor', 'text', '{}', 'Hypervisor', true),
    ('computer', 'container_type', 'text', '{}', 'Container type', true),
    ('computer', 'hostname', 'text', '{}', 'Host name', true),
    ('computer', 'fqdn', 'text', '{}', 'Fully qualified domain name', true),
    ('computer', 'mac_address', 'text', '{}', 'MAC address', true),
    ('computer', 'os_name', 'text', '{}', 'Operating system', true),
    ('computer', 'os_version', 'text', '{}', 'Operating system version', true),
    ('computer', 'os_edition', 'text', '{}', 'Operating system edition', true),
    ('computer', 'os_build', 'text', '{}', 'Operating system build', true),
    ('computer', 'kernel', 'text', '{}', 'Kernel', true),
    ('computer', 'arch', 'text', '{}', 'Architecture', true),
    ('monitor', 'product_code', 'integer', '{}', 'Product code', true),
    ('monitor', 'manufactured_year', 'integer', '{}', 'Year of manufacture', true),
    ('monitor', 'manufactured_week', 'integer', '{}', 'Week of manufacture', true),
    ('monitor', 'native_resolution', 'text', '{}', 'Native resolution', true),
    ('monitor', 'width_mm', 'integer', '{}', 'Width in mm', true),
    ('monitor', 'height_mm', 'integer', '{}', 'Height in mm', true),
    ('storage_device', 'wwn', 'text', '{}', 'World wide name', true),
    ('storage_device', 'size_bytes', 'integer', '{}', 'Size in bytes', true),
    ('storage_device', 'media_type', 'text', '{}', 'Media type', true),
    ('storage_device', 'bus', 'text', '{}', 'Bus', true),
    ('storage_device', 'firmware_revision', 'text', '{}', 'Firmware revision', true),
    ('network_interface', 'mac_address', 'text', '{}', 'MAC address', true),
    ('network_device', 'mac_address', 'text', '{}', 'MAC address', true),
    ('printer', 'mac_address', 'text', '{}', 'MAC address', true),
    ('printer', 'port', 'text', '{}', 'Port', true),
    ('printer', 'driver', 'text', '{}', 'Driver', true),
    ('operating_system_installation', 'os_name', 'text', '{}', 'Operating system', true),
    ('operating_system_installation', 'os_version', 'text', '{}', 'Version', true),
    ('operating_system_installation', 'os_edition', 'text', '{}', 'Edition', true),
    ('operating_system_installation', 'os_build', 'text', '{}', 'Build', true),
    ('operating_system_installation', 'kernel', 'text', '{}', 'Kernel', true),
    ('operating_system_installation', 'arch', 'text', '{}', 'Architecture', true),
    ('operating_system_installation', 'install_id', 'text', '{}', 'Installation id', true),
    ('person', 'email', 'text', '{}', 'Email address', true),
    ('person', 'login', 'text', '{}', 'Login', true),
    ('person', 'domain', 'text', '{}', 'Domain', true),
    ('network', 'subnet', 'text', '{}', 'Subnet', true),
    ('network', 'gateway_mac', 'text', '{}', 'MAC address of the gateway', true);

insert into relationship_type (name, verb, inverse_verb, from_class, to_class, impact, built_in) values
    ('contains', 'contains', 'is contained in', 'ci', 'ci', 'from_suffers', true),
    ('connected_to', 'is connected to', 'has connected', 'ci', 'ci', 'none', true),
    ('runs_on', 'runs on', 'runs', 'ci', 'computer', 'from_suffers', true),
    ('hosted_on', 'is hosted on', 'hosts', 'ci', 'ci', 'from_suffers', true),
    ('installed_on', 'is installed on', 'has installed', 'ci', 'ci', 'from_suffers', true),
    ('used_by', 'is used by', 'uses', 'ci', 'person', 'to_suffers', true),
    ('located_in', 'is located in', 'is the location of', 'ci', 'location', 'none', true),
    ('owned_by', 'is owned by', 'owns', 'ci', 'ci', 'none', true),
    ('member_of', 'is a member of', 'has as a member', 'ci', 'ci', 'none', true),
    ('depends_on', 'depends on', 'is needed by', 'ci', 'ci', 'from_suffers', true);

-- Source records ----------------------------------------------------------------------------------

-- One source's view of one thing. All that is observed belongs to a source record, and a CI is a
-- set of source records: a merge or a split of CIs assigns records to another CI. Nothing is moved
-- or deleted, so that it can be undone. Enrollments, imports and resolutions add rows; commits of
-- inventories update them.
create table source_record (
    id                 bigint generated always as identity primary key,
    source             text not null, -- 'agent' or another source of package inventory
    native_key         bytea not null, -- what the source calls the thing; agent: SHA-256 of the key (SPKI)
    forked_from        bigint references source_record, -- the record whose key this machine had a copy of
    created_at         timestamptz not null default now(),
    default_ci         uuid not null default gen_random_uuid(), -- the CI it is, unless it is assigned to another one
    base_class         text not null default '', -- the class below ci of its thing; '': unknown
    label              text not null default '',         -- what the source calls it, for people
    liveness_dependent boolean not null default false, -- its assignment depends on which records are observed next
    -- The fence: a change is relative to a version, and of two changes to one version one wins.
    version            bigint not null default 0,
    changed_at         timestamptz,
    inventory_root     bytea,                            -- of all sections
    token              bytea,                            -- the ratchet
    previous_token     bytea,
    token_at           timestamptz,
    boot_id            text not null default '',
    hardware           jsonb not null default '{}',      -- family -> hash, as the agent reports it
    program            text not null default '',         -- what reports, and its version
    document_at        timestamptz, -- the date of the newest whole document of another tool's agent
    seen_at            timestamptz -- at least this recent; presence is fresher; null: not observed
) with (fillfactor = 80);
create unique index source_record_by_native_key on source_record (native_key, source);
create index source_record_by_default_ci on source_record (default_ci);
create index source_record_forks on source_record (forked_from) where forked_from is not null;

-- What only agents' records have. Enrollments, approvals, renewals of certificates and revocations
-- write it.
create table agent (
    record_id              bigint primary key references source_record,
    agent_id               uuid not null unique,
    enrolled_with          uuid references enrollment_token,
    certificate_expires_at timestamptz not null,         -- of the last certificate issued
    serial_number          text not null default '', -- as the agent claimed when it enrolled, and so is hostname
    hostname               text not null default '',
    address                inet,                         -- where it enrolled from
    approved_at            timestamptz,                  -- null: nothing of it is applied yet
    approved_by            text not null default '',     -- '': its token approves automatically
    revoked_at             timestamptz,
    revoked_by             text not null default '',
    revoke_reason          text
) with (fillfactor = 80);
create index agent_revoked on agent (revoked_at) where revoked_at is not null;

-- Revokes agents and all that were forked from them, and returns the records of those that were not
-- revoked before.
-- +goose StatementBegin
create function revoke_agents(records bigint[], actor text, reason text) returns setof bigint
    language sql
    as $$
        with recursive lineage (record_id) as (
            select unnest(records)
            union
            select r.id from source_record r join lineage l on r.forked_from = l.record_id
        )
        update agent a set revoked_at = clock_timestamp(), revoked_by = actor, revoke_reason = reason
        from lineage l
        where a.record_id = l.record_id and a.revoked_at is null
        returning a.record_id
    $$;
-- +goose StatementEnd

-- When each record checked in last. Collectors write it in bulk. Unlogged: it costs no WAL, and
-- after a crash source_record.seen_at is still there.
create unlogged table presence (
    record_id bigint primary key,
    seen_at   timestamptz not null,
    stream    uuid not null, -- the conversation it was seen in; zero: that has ended
    since     timestamptz not null, -- it has kept checking in since then, without a restart of its machine
    until     timestamptz not null, -- its next check-in is due, with a grace; afterwards it is silent
    boot_id   text not null default ''
) with (fillfactor = 50);

-- Rollbacks and clones that the ratchet found, and records over their quota. Commits of inventories
-- and enrollments add rows.
create table sync_incident (
    record_id bigint not null references source_record,
    at        timestamptz not null,
    type      text not null,                             -- 'rollback', 'clone', 'quota'
    detail    jsonb not null,
    answered_at timestamptz, -- of a clone: when it got a key of its own
    primary key (record_id, at)
);

-- Versions of the attributes that a record reports. Resolutions write them.
create table record_version (
    record_id  bigint not null,
    valid_from timestamptz not null,
    valid_to   timestamptz not null default 'infinity',
    class      text not null,                            -- '': unknown
    attributes jsonb not null,
    primary key (record_id, valid_from),
    constraint begins_before_end check (valid_from < valid_to)
);

-- The identifiers that each record reported: three arrays of one length. Resolutions write them.
create table evidence (
    record_id   bigint primary key,
    identifiers text[] not null,
    first_seen  timestamptz[] not null,                  -- one element: all have the same
    last_seen   timestamptz[],                           -- null, an element or the array: reported now
    rejected    jsonb, -- identifiers that were not used, and why; null: none
    hosts       text[] -- identifiers of the machine that a container runs on; null: it is none
);
create index evidence_hosts on evidence using gin (hosts) where hosts is not null; -- the containers on a machine

-- The first record that reported an identifier, in each base class. The unique index makes two
-- transactions that report one identifier at the same moment wait for each other, so that a machine
-- whose identifiers nobody else reports needs no other lock. A collision of hashes only costs time:
-- the record is then compared with others under the lock.
create table identifier_claim (
    hash      bigint primary key,                        -- identifier_hash
    record_id bigint not null
);

-- The other records that reported it.
create table identifier_share (
    hash      bigint not null,
    record_id bigint not null,
    primary key (hash, record_id)
);

-- The records that reported an identifier, and those with an identifier of the same hash.
create view identifier_holder as
    select hash, record_id from identifier_claim
    union all
    select hash, record_id from identifier_share;

create function identifier_hash(base_class text, identifier text) returns bigint
    language sql immutable strict parallel safe
    return hashtextextended(base_class || E'\n' || identifier, 0);

-- Notes that records[n] reported identifiers[n] as things of base_classes[n]. It returns the record
-- of each one that no record reported before. It inserts the identifiers in the order of their
-- hashes, so that two transactions that do so cannot deadlock.
create function claim_identifiers(base_classes text[], identifiers text[], records bigint[]) returns setof bigint
    language sql volatile as $$
    with wanted as materialized (
        select distinct identifier_hash(n.base_class, n.identifier) as hash, n.record_id
        from unnest(base_classes, identifiers, records) n (base_class, identifier, record_id)
    ), claimed as (
        insert into identifier_claim (hash, record_id)
        select hash, record_id from wanted order by hash, record_id
        on conflict do nothing
        returning hash, record_id
    ), shared as (
        insert into identifier_share (hash, record_id)
        select hash, record_id from wanted except select hash, record_id from claimed order by 1, 2
        on conflict do nothing
    )
    select record_id from claimed
$$;

-- Versions of the assignment of records to CIs. Resolutions write them.
create table assignment (
    record_id    bigint not null,
    valid_from   timestamptz not null,
    valid_to     timestamptz not null default 'infinity',
    ci_id        uuid not null,
    is_primary   boolean not null, -- whether the record's inventory is the CI's
    previous_cis uuid[] not null default '{}', -- the CIs that its thing was before it became another
    primary key (record_id, valid_from),
    constraint begins_before_end check (valid_from < valid_to)
);
create index assignment_by_ci on assignment (ci_id, valid_to); -- the records of a CI
create index assignment_previous_cis on assignment using gin (previous_cis) where previous_cis <> '{}';

-- Configuration items -----------------------------------------------------------------------------

-- The CIs. Resolutions add them; nothing deletes them.
create table ci (
    id         uuid primary key,
    created_at timestamptz not null,                     -- first observed
    retired_at timestamptz, -- a person retired it; it returns when it is observed again
    disposed   boolean not null default false -- its life-cycle state says so: each observation is checked
);
create index ci_by_created_at on ci (created_at, id);    -- lists in the order of first_seen
create index ci_retired on ci (retired_at) where retired_at is not null;

-- Versions of the effective values of CIs. Resolutions write them.
create table ci_version (
    ci_id      uuid not null,
    valid_from timestamptz not null,
    valid_to   timestamptz not null default 'infinity',
    device     boolean not null,                         -- of the class computer or one below it
    class      text not null,
    name       text not null,                            -- '': unknown
    attributes jsonb not null,
    provenance jsonb,                                    -- null: all values are the only record's
    retired    boolean not null default false, -- it ended because the CI was retired or its component is gone
    primary key (ci_id, valid_from),
    constraint begins_before_end check (valid_from < valid_to)
);
create unique index ci_version_current on ci_version (ci_id) where valid_to = 'infinity';
-- The orders of lists. Past versions are in them too, so that a list of the past is read in order.
create index ci_version_by_class on ci_version (class, name, ci_id);
create index ci_version_by_name on ci_version (name, ci_id);
create index device_by_class on ci_version (class, ci_id) where device;
create index device_by_name on ci_version (name, ci_id) where device;
create index device_by_manufacturer on ci_version (coalesce(attributes ->> 'manufacturer', ''), ci_id) where device;
create index device_by_model on ci_version (coalesce(attributes ->> 'model', ''), ci_id) where device;
create index device_by_serial_number on ci_version (coalesce(attributes ->> 'serial_number', ''), ci_id) where device;
create index device_by_uuid on ci_version (coalesce(attributes ->> 'uuid', ''), ci_id) where device;
create index device_by_os_name on ci_version (coalesce(attributes ->> 'os_name', ''), ci_id) where device;
create index device_by_os_version on ci_version (coalesce(attributes ->> 'os_version', ''), ci_id) where device;
-- Searches for a part of a name, serial number or model.
create index ci_version_search on ci_version using gin (lower(name || E'\n' || coalesce(attributes ->> 'serial_number', '')
    || E'\n' || coalesce(attributes ->> 'model', '')) gin_trgm_ops);
-- What changed in a window of time: the change feed.
create index ci_version_began on ci_version (valid_from);
create index ci_version_ended on ci_version (valid_to) where valid_to < 'infinity';

-- Values that people lock against all sources. They belong to the record of what people declare
-- about the CI.
create table attribute_lock (
    id          uuid primary key,
    record_id   bigint not null references source_record,
    attribute   text not null,
    value       jsonb not null,
    reason      text not null,
    actor       text not null,
    locked_at   timestamptz not null,
    until       timestamptz,                             -- null: until it is released
    released_at timestamptz
);
create unique index attribute_lock_current on attribute_lock (record_id, attribute) where released_at is null;

-- Versions of relationships. They are between records, so that a merge moves them to the merged CI
-- and its undoing moves them back. Resolutions and people write them.
create table relationship (
    id          bigint generated always as identity primary key,
    type        text not null references relationship_type,
    from_record bigint not null,
    to_record   bigint not null,
    observer    bigint, -- the record that observed it; null: a person declared it
    attributes  jsonb not null default '{}',
    actor       text not null default '',                -- who declared it
    valid_from  timestamptz not null,
    valid_to    timestamptz not null default 'infinity',
    ended_by    text not null default '',                -- who ended it
    reason      text not null default '',                -- of actor
    end_reason  text not null default '',                -- of ended_by
    key         text not null default '',                -- what its observer calls the component
    declared    boolean not null default false, -- an import lists it: it is no part of an inventory
    idle        boolean not null default false, -- the component is not in use, such as a guest that is shut off
    constraint begins_before_end check (valid_from < valid_to)
);
create index relationship_from on relationship (from_record, to_record, valid_to); -- of one type between two, too
create index relationship_to on relationship (to_record, valid_to);
create index relationship_observer on relationship (observer, valid_to) where observer is not null;
-- What changed in a window of time: the change feed.
create index relationship_began on relationship (valid_from);
create index relationship_ended on relationship (valid_to) where valid_to < 'infinity';

-- Identity ----------------------------------------------------------------------------------------

-- The instant without its last bit: see begin in internal/store/resolve.
create function even_microsecond(instant timestamptz) returns timestamptz
    language sql immutable strict parallel safe
    return instant - (extract(microseconds from instant)::bigint % 2) * interval '1 microsecond';

-- The time of the last resolution, in one row. A resolution that may involve other records updates
-- it first: such resolutions take turns, and their times increase.
create table identity_clock (
    only_row boolean primary key default true check (only_row),
    at       timestamptz not null
) with (fillfactor = 10);
insert into identity_clock (at) select clock_timestamp();

-- Decisions about two records that hold whatever their evidence is. People make them, and
-- enrollments of copied keys. One of origin 'conflict' holds while the first of two agents is alive;
-- resolutions add it.
create table identity_constraint (
    id         uuid primary key,
    linked     boolean not null,                         -- false: never one CI
    record_a   bigint not null references source_record,
    record_b   bigint not null references source_record,
    origin     text not null, -- 'operator', 'review', 'undo', 'list', 'fork', 'conflict'
    actor      text not null,
    reason     text not null,
    created_at timestamptz not null,
    revoked_at timestamptz,
    check (record_a < record_b)
);
create index identity_constraint_a on identity_constraint (record_a) where revoked_at is null;
create index identity_constraint_b on identity_constraint (record_b) where revoked_at is null;

-- Why a record is assigned to its CI. Resolutions add a row when the outcome changes or another
-- rule decides it.
create table identity_decision (
    id        bigint generated always as identity primary key,
    at        timestamptz not null, -- of its resolution: constraints of that time caused it
    record_id bigint not null,
    action    text not null, -- 'created', 'linked', 'merged', 'split', 'moved', 'confirmed'
    old_ci    uuid,
    new_ci    uuid not null,
    rule      text not null,
    reason    jsonb not null,
    actor     text not null default '',                  -- who caused it, if it was a person
    undone_at timestamptz
);
create index identity_decision_by_record on identity_decision (record_id, at);
create index identity_decision_by_new_ci on identity_decision (new_ci, at);
create index identity_decision_by_old_ci on identity_decision (old_ci, at) where old_ci is not null;
create index identity_decision_by_time on identity_decision using brin (at); -- the change feed

-- Pairs of records that a person should decide about. Resolutions open them; resolutions and people
-- close them.
create table review (
    id        uuid primary key,
    type      text not null,
    record_a  bigint not null references source_record,
    record_b  bigint not null references source_record,
    reason    jsonb not null,
    opened_at timestamptz not null,
    closed_at timestamptz,
    verdict   text,                                      -- 'accepted', 'kept_separate', 'obsolete'
    actor     text,
    note      text,
    check (record_a < record_b)
);
create unique index review_open on review (record_a, record_b) where closed_at is null;
create index review_by_time on review (opened_at, id);   -- the list of reviews

-- What resolutions noticed about some records and people should know, such as an identifier that
-- too many share.
create table finding (
    id         bigint generated always as identity primary key,
    type       text not null,
    records    bigint[] not null,
    identifier text not null default '',
    text       text not null,
    opened_at  timestamptz not null,
    closed_at  timestamptz
);
create unique index finding_open on finding (type, identifier, records) where closed_at is null;
create index finding_records on finding using gin (records); -- the findings of a record

-- The audit log: who caused a resolution and why. All that changed at its time, that person did.
create table audit_entry (
    at     timestamptz primary key,
    actor  text not null,
    reason text not null                                 -- '': none was stated
);

-- Instants that people named, to compare CIs with.
create table baseline (
    id         uuid primary key,
    name       text not null unique,
    at         timestamptz not null,
    class      text not null default '',                 -- '': all
    created_at timestamptz not null,
    created_by text not null
);

-- Inventories -------------------------------------------------------------------------------------

-- The sections of inventories, such as 'software'. Interning adds those that are new; there are
-- some twenty.
create table section (
    id   smallint generated always as identity primary key,
    name text not null unique
);

-- One row of a section, stored once for all machines. Interning adds rows; the tables below refer
-- to their ids.
create table item (
    id         integer generated always as identity primary key,
    section_id smallint not null,
    key_hash   bigint not null, -- of the facts that name the item within its section
    digest     uuid not null unique,                     -- of section and facts
    facts      json not null,                            -- canonical: in the order of the .proto
    readings   bytea -- those that it was reported with first: later ones are stored as differences
);

-- The tables of a record from here to reading are written by commits alone, under the fence of the
-- record's row. They have no foreign keys: checking some eighty rows per machine would cost as much
-- as writing them.

-- The states of the sections of a record, in arrays of one length: the n-th elements are those of
-- section section_ids[n]. Read them from the view section_state. What changes with the items comes
-- last, and so do sections with many items, which change most: the WAL record of an update contains
-- the row from the first byte to the last one that differ.
create table section_states (
    record_id    bigint primary key,
    section_ids  smallint[] not null,
    statuses     text[] not null,
    messages     text[] not null,
    status_since timestamptz[] not null,
    first_at     timestamptz[] not null, -- when the first items came: the section's history begins
    supersets    boolean[] not null, -- more is held than root covers: a partial section removes nothing
    verdicts     jsonb[],                                -- of the last changes; null: none at all
    roots        bytea[] not null,                       -- an element is null: never collected
    durations_ms integer[] not null,                     -- of the collections; null: imported
    items        integer[] not null,
    changed_at   timestamptz[] not null
) with (fillfactor = 80, toast_tuple_target = 512);
-- The arrays of times mostly repeat one: compressed, the row has half the size.
alter table section_states
    alter section_ids set storage main, alter statuses set storage main, alter messages set storage main,
    alter status_since set storage main, alter first_at set storage main, alter supersets set storage main,
    alter roots set storage main, alter durations_ms set storage main, alter items set storage main,
    alter changed_at set storage main;

-- The state of each section of a record, one row each.
create view section_state as
    select s.record_id, e.*
    from section_states s
    cross join lateral unnest(s.section_ids, s.roots, s.supersets, s.statuses, s.messages, s.status_since,
        s.durations_ms, s.items, s.first_at, s.changed_at, s.verdicts)
        e (section_id, root, superset, status, message, status_since, duration_ms, items, first_at, changed_at, verdicts);

-- Earlier statuses of the sections.
create table section_status_past (
    record_id  bigint not null,
    section_id smallint not null,
    valid_from timestamptz not null,
    valid_to   timestamptz not null,
    status     text not null,
    message    text not null,
    primary key (record_id, section_id, valid_from)
);

-- A set of items that rows of item_set share. It never changes but for retired_at. Collectors add
-- it when two rows have much in common, and delete it a day after it was retired, once no row and
-- no count refers to it.
create table item_base (
    id         integer generated always as identity primary key,
    ids        integer[] not null,                       -- sorted
    created_at timestamptz not null default now(),
    retired_at timestamptz                               -- no longer chosen; null: in use
) with (toast_tuple_target = 8160);
alter table item_base alter ids set storage external;
create index item_base_ids on item_base using gin (ids); -- which bases hold an item

-- The current items of a record: the ids of the base without minus, and plus. Sections share the
-- row with section_id 0 until they reach 33 items. Then a section has a row of its own for ever. An
-- empty set has an empty plus.
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

-- What changed: pairs (old_items[i], new_items[i]), 0 for none. The first items of a section are no
-- change; the current set and the events after an instant give the set at that instant.
create table item_event (
    record_id  bigint not null,
    section_id smallint not null,
    at         timestamptz not null,
    old_items  integer[] not null,
    new_items  integer[] not null,
    primary key (record_id, at, section_id)
) partition by range (at);
-- What changed in a window of time: the change feed.
create index item_event_by_time on item_event using brin (at) with (pages_per_range = 16);

-- The latest readings of a record's items; internal/store/items/readings.go describes the payload.
-- Of an item that is in several rows, the last one counts. The oldest row has all readings, and
-- later rows have those that came with changes since. The daily readings of a section replace all
-- of that section: it is no longer among the sections of the older rows.
create table reading (
    record_id   bigint not null,
    at          timestamptz not null,
    section_ids smallint[] not null, -- whose readings in the payload count
    payload     bytea not null,
    primary key (record_id, at)
);
alter table reading alter payload set storage external;  -- it is compressed already

-- How many records hold an item of software: folded + pending, exact at every moment and free of
-- hot rows. The log keeps what was folded, so that the counts of the past can be computed.
create table item_count (
    item_id  integer primary key,
    installs integer not null
) with (fillfactor = 70);

-- The changes that groups made to the counts and that are not folded yet: a few seconds of them.
-- The count of an item changes by itself and by each base that holds it: a first inventory counts
-- as one more row of its base, plus and minus a few items.
create table item_count_pending (
    id           bigint generated always as identity primary key,
    at           timestamptz not null,
    item_ids     integer[] not null,
    changes      integer[] not null,
    base_ids     integer[] not null default '{}',
    base_changes integer[] not null default '{}'
);

-- The changes that were folded.
create table item_count_log (
    at           timestamptz not null,
    item_ids     integer[] not null,
    changes      integer[] not null,
    base_ids     integer[] not null,
    base_changes integer[] not null
);
create index item_count_log_by_time on item_count_log using brin (at);

-- Software titles in one version, in typed columns, because people search them. Interning adds
-- rows.
create table software (
    id        integer generated always as identity primary key,
    digest    uuid not null unique, -- of the four columns below: SHA-256, its first 16 bytes
    name      text not null,
    version   text not null,
    publisher text not null,
    source    text not null,
    is_title  boolean not null default true,             -- the row by which its name and publisher are found
    search    text generated always as (case when is_title then lower(name || E'\n' || publisher) end) stored
);
-- Searches for a part of a name or publisher. Most new rows are new versions, and an entry of this
-- index is the most expensive part of a row, so a name and publisher are in it once. Two collectors
-- that insert the first versions at the same moment may both add one.
create index software_search on software using gin (search gin_trgm_ops) where is_title;
-- The order of the list. Names are not bounded, and an entry of an index is.
create index software_in_order on software (left(name, 200), id);

-- The items that are installations of a software.
create table software_item (
    item_id     integer primary key,
    software_id integer not null
);
create index software_item_by_software on software_item (software_id);
