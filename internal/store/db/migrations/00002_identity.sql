-- +goose Up
-- Configuration items of every class, what sources say of them, and which sources speak of one thing.
--
-- All that is observed belongs to a source record, and a CI is a set of source records: to merge two CIs or to split one
-- is to say of some records that they are another CI's from now on. Nothing is moved or deleted, so that it can be undone.

-- The model: data, so that people can add to it ---------------------------------------------------------------

create table ci_class (
    name        text primary key,
    parent      text references ci_class,                -- null: the root
    label       text not null,
    description text not null default '',
    built_in    boolean not null default false,
    created_at  timestamptz not null default now()
);

create table ci_attribute (
    class       text not null references ci_class,       -- those below it have it too
    name        text not null,
    type        text not null check (type in ('text', 'integer', 'number', 'boolean', 'date', 'timestamp', 'choice')),
    choices     text[] not null default '{}',
    label       text not null,
    description text not null default '',
    built_in    boolean not null default false,
    created_at  timestamptz not null default now(),
    primary key (class, name)
);

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

-- Source records ---------------------------------------------------------------------------------------------

-- What a record's machine is in sync with is the record's, whoever reports it: an agent, or a file that is imported.
alter table source_record
    add column default_ci           uuid not null default gen_random_uuid(), -- its own CI, should it be no other's
    add column base_class           text not null default '',                -- the class below ci of its thing; '': not said
    add column label          text not null default '',                -- what the source calls it, for people
    add column liveness_dependent      boolean not null default false,          -- its place depends on who is heard of next
    -- The fence: a change is relative to a version, and of two changes to one version one wins.
    add column version        bigint not null default 0,
    add column changed_at     timestamptz,
    add column inventory_root bytea,
    add column token          bytea,                                   -- the ratchet
    add column previous_token bytea,
    add column token_at       timestamptz,
    add column boot_id        text not null default '',
    add column hardware       jsonb not null default '{}',             -- family -> hash, as the agent says
    add column program        text not null default '',                -- what reports, and its version
    add column seen_at        timestamptz,                             -- at least this recent; presence is fresher
    drop constraint source_record_source_native_key_key;
alter table source_record set (fillfactor = 80);
create unique index source_record_by_native_key on source_record (native_key, source);
create index source_record_by_default_ci on source_record (default_ci);

update source_record r set
    default_ci = coalesce(r.ci_id, r.default_ci), base_class = 'computer', liveness_dependent = r.ci_id is not null, version = a.version,
    changed_at = a.changed_at, inventory_root = a.inventory_root, token = a.token, previous_token = a.previous_token,
    token_at = a.token_at, boot_id = a.boot_id, hardware = a.hardware, program = a.agent_version, seen_at = a.seen_at
from agent a
where a.record_id = r.id;

alter table agent
    drop column version, drop column changed_at, drop column inventory_root, drop column token,
    drop column previous_token, drop column token_at, drop column boot_id, drop column hardware, drop column agent_version,
    drop column seen_at;

-- What a record says of its thing's attributes.
create table record_version (
    record_id  bigint not null,
    valid_from timestamptz not null,
    valid_to   timestamptz not null default 'infinity',
    class      text not null,                            -- '': not said
    attributes jsonb not null,
    actor      text not null default '',                 -- who said so, where it was a person
    reason     text not null default '',
    primary key (record_id, valid_from),
    check (valid_from < valid_to)
);

-- The identifiers that a record's thing was seen with: three arrays of one length. What is reported now has no last_seen.
create table evidence (
    record_id  bigint primary key,
    identifiers     text[] not null,
    first_seen timestamptz[] not null,
    last_seen  timestamptz[] not null,
    rejected   jsonb not null default '[]'
);
create index evidence_identifiers on evidence using gin (identifiers) with (fastupdate = off);

-- The first record that reported an identifier, in each base class. The unique index makes two transactions that report
-- one identifier at the same moment wait for each other, so that a machine whose identifiers nobody else reports needs no
-- other lock. A collision of hashes only costs time: the record is then compared with others under the lock.
create table identifier_claim (
    hash      bigint primary key,                        -- identifier_hash
    record_id bigint not null
);
create function identifier_hash(base_class text, identifier text) returns bigint
    language sql immutable strict parallel safe
    return hashtextextended(base_class || E'\n' || identifier, 0);

-- Which CI a record's thing is.
create table assignment (
    record_id  bigint not null,
    valid_from timestamptz not null,
    valid_to   timestamptz not null default 'infinity',
    ci_id      uuid not null,
    is_primary      boolean not null,                         -- whether the record's inventory is the CI's
    previous_cis   uuid[] not null default '{}',             -- the CIs that its thing was before it became another
    primary key (record_id, valid_from),
    check (valid_from < valid_to)
);
create index assignment_by_ci on assignment (ci_id, valid_to);
create index assignment_previous_cis on assignment using gin (previous_cis) where previous_cis <> '{}';

insert into assignment (record_id, valid_from, ci_id, is_primary)
select r.id, c.created_at, r.ci_id, true from source_record r join ci c on c.id = r.ci_id;
insert into record_version (record_id, valid_from, class, attributes)
select r.id, c.created_at, d.class, '{}' from source_record r join ci c on c.id = r.ci_id
join device d on d.ci_id = r.ci_id and d.valid_to = 'infinity';

-- Configuration items ----------------------------------------------------------------------------------------

alter table ci add column retired_at timestamptz;        -- a person retired it; it comes back when it is heard of again
create index ci_retired on ci (retired_at) where retired_at is not null;

-- A version of what is taken to be true of a CI; the current one is valid to infinity.
create table ci_version (
    ci_id      uuid not null references ci,
    valid_from timestamptz not null,
    valid_to   timestamptz not null default 'infinity',
    device     boolean not null,                         -- of the class computer or one below it
    class      text not null,
    name       text not null,                            -- '': unknown
    attributes jsonb not null,
    provenance jsonb,                                    -- null: all of it is what the only record says
    primary key (ci_id, valid_from),
    check (valid_from < valid_to)
);
create unique index ci_version_current on ci_version (ci_id) where valid_to = 'infinity';

insert into ci_version (ci_id, valid_from, valid_to, device, class, name, attributes)
select d.ci_id, d.valid_from, d.valid_to, true, d.class, d.name, jsonb_strip_nulls(jsonb_build_object(
    'manufacturer', nullif(d.manufacturer, ''), 'model', nullif(d.model, ''), 'serial_number', nullif(d.serial_number, ''),
    'uuid', nullif(d.uuid, ''), 'os_name', nullif(d.os_name, ''), 'os_version', nullif(d.os_version, '')))
from device d;
drop table device;
alter table source_record drop column ci_id;

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
create index ci_version_search on ci_version using gin (lower(name || E'\n' || coalesce(attributes ->> 'serial_number', '')
    || E'\n' || coalesce(attributes ->> 'model', '')) gin_trgm_ops);
create index ci_version_began on ci_version (valid_from);
create index ci_version_ended on ci_version (valid_to) where valid_to < 'infinity';

-- A value that a person holds against all sources. It belongs to the record of what people say of the CI.
create table attribute_lock (
    id          uuid primary key,
    record_id   bigint not null references source_record,
    attribute   text not null,
    value       jsonb not null,
    reason      text not null,
    actor       text not null,
    locked_at   timestamptz not null,
    until       timestamptz,
    released_at timestamptz,
    released_by text
);
create unique index attribute_lock_current on attribute_lock (record_id, attribute) where released_at is null;

-- Relationships are between records, too: after a merge they are the merged CI's, after its undoing as before.
create table relationship (
    id          bigint generated always as identity primary key,
    type        text not null references relationship_type,
    from_record bigint not null,
    to_record   bigint not null,
    observer    bigint,                                  -- the record that saw it; null: a person said so
    attributes  jsonb not null default '{}',
    actor       text not null default '',
    valid_from  timestamptz not null,
    valid_to    timestamptz not null default 'infinity',
    ended_by    text not null default '',
    check (valid_from < valid_to)
);
create index relationship_from on relationship (from_record, to_record, valid_to); -- of one type between two, too
create index relationship_to on relationship (to_record, valid_to);
create index relationship_observer on relationship (observer, valid_to) where observer is not null;
create index relationship_began on relationship (valid_from);
create index relationship_ended on relationship (valid_to) where valid_to < 'infinity';

-- Identity ---------------------------------------------------------------------------------------------------

-- The instant without its last bit: see begin in internal/store/resolve.
create function even_microsecond(instant timestamptz) returns timestamptz
    language sql immutable strict parallel safe
    return instant - (extract(microseconds from instant)::bigint % 2) * interval '1 microsecond';

-- The time of the last resolution. Whoever changes which CIs there are or what is true of them updates it first: they
-- take turns, and their times follow one another.
create table identity_clock (
    only_row boolean primary key default true check (only_row),
    at       timestamptz not null
) with (fillfactor = 10);
insert into identity_clock (at) select clock_timestamp();

-- What was settled about two records, whatever the evidence says.
create table identity_constraint (
    id         uuid primary key,
    linked     boolean not null,                         -- false: never one CI
    record_a   bigint not null references source_record,
    record_b   bigint not null references source_record,
    origin     text not null,                            -- 'operator', 'review', 'undo', 'fork'
    actor      text not null,
    reason     text not null,
    created_at timestamptz not null,
    revoked_at timestamptz,
    revoked_by text,
    check (record_a < record_b)
);
create index identity_constraint_a on identity_constraint (record_a) where revoked_at is null;
create index identity_constraint_b on identity_constraint (record_b) where revoked_at is null;

-- Why a record came to be where it is: one row whenever the outcome changes or another kind of evidence bears it.
create table identity_decision (
    id            bigint generated always as identity primary key,
    at            timestamptz not null,                  -- of its resolution: constraints of that time caused it
    record_id     bigint not null,
    action        text not null,                         -- 'created', 'linked', 'merged', 'split', 'moved', 'confirmed'
    old_ci        uuid,
    new_ci        uuid not null,
    rule          text not null,
    reason        jsonb not null,
    actor         text not null default '',              -- who caused it, where it was a person
    undone_at     timestamptz,
    undone_by     text
);
create index identity_decision_by_record on identity_decision (record_id, at);
create index identity_decision_by_new_ci on identity_decision (new_ci, at);
create index identity_decision_by_old_ci on identity_decision (old_ci, at) where old_ci is not null;
create index identity_decision_by_time on identity_decision using brin (at);

-- What a person should decide.
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
create index review_by_time on review (opened_at, id);

create table finding (
    id        bigint generated always as identity primary key,
    type      text not null,
    records   bigint[] not null,
    identifier text not null default '',
    text      text not null,
    opened_at timestamptz not null,
    closed_at timestamptz
);
create unique index finding_open on finding (type, identifier, records) where closed_at is null;
create index finding_records on finding using gin (records);

-- Clones that were told apart before.
insert into identity_constraint (id, linked, record_a, record_b, origin, actor, reason, created_at)
select gen_random_uuid(), false, least(r.id, r.forked_from), greatest(r.id, r.forked_from), 'fork', '',
    'the agent''s key was in use on another machine', r.created_at
from source_record r where r.forked_from is not null;

-- Baselines --------------------------------------------------------------------------------------------------

create table baseline (
    id         uuid primary key,
    name       text not null unique,
    at         timestamptz not null,
    class      text not null default '',                 -- '': all
    created_at timestamptz not null,
    created_by text not null
);
