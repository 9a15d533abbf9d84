-- The tables of the hot path, and Pekko Persistence's. Fixed-width columns come first: no padding.

-- Owners take blocks of 1000 numbers, so a number is no count of rows.
create sequence viesti.outbox_seq increment by 1000;

create table viesti.outbox (
  due_at           timestamptz not null,
  seq              bigint      not null default nextval('viesti.outbox_seq'),
  event_id         uuid        not null,
  accepted_at      timestamptz not null,
  first_attempt_at timestamptz,
  running_since    timestamptz,
  root_id          uuid,
  attempt          smallint    not null default 0,
  priority         smallint    not null default 0,
  depth            smallint    not null default 0,
  data_binary      boolean     not null default false,
  app_id           text        collate "C" not null,
  trigger_id       text        collate "C",
  ordering_key     text,
  source           text        not null,
  type             text        not null,
  subject          text,
  external_id      text,
  attributes       text,
  principal        text,
  traceparent      text,
  last_error       text,
  attempts         text,
  data             bytea,
  -- The only index: each further one would be WAL on every event.
  primary key (app_id, due_at, seq)
) with (
  -- A queue's table is mostly dead rows: vacuum after a fixed number of them, not after a share of
  -- a size that swings between nothing and millions.
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 50000,
  -- Inserted rows are deleted soon: a vacuum for inserts alone finds nothing to do.
  autovacuum_vacuum_insert_threshold = -1,
  -- At 100,000 rows a second a vacuum that pauses never catches up.
  autovacuum_vacuum_cost_delay = 0
);

comment on table  viesti.outbox is
  'Events and deliveries still to be settled; a settled one is deleted.';
comment on column viesti.outbox.due_at is
  '-infinity = at once; only retries, schedules and delays have a time.';
comment on column viesti.outbox.trigger_id is
  'null = an event that is not routed to its triggers yet.';
comment on column viesti.outbox.attempt is 'Attempts that have been started, 0 = none yet.';
comment on column viesti.outbox.root_id is
  'The event that this one descends from; null = it is its own root.';
comment on column viesti.outbox.depth is 'How many events lie between the root and this one.';
comment on column viesti.outbox.data is
  'The body byte for byte; as text: convert_from(data, ''UTF8'') unless data_binary.';

create table viesti.outbox_owner (
  app_id text        collate "C" primary key,
  epoch  bigint      not null,
  node   text,
  since  timestamptz not null
) with (
  -- Updated at each takeover and locked by each commit: room for heap-only updates in the page.
  fillfactor = 50
);

comment on table  viesti.outbox_owner is 'Who may settle an app''s rows.';
comment on column viesti.outbox_owner.epoch is
  'The fencing number: only grows; a writer with an older one affects nothing.';
comment on column viesti.outbox_owner.node is 'null = released; any node may take it.';

create table viesti.dead_letter (
  id               uuid        not null,
  event_id         uuid        not null,
  delivery_id      uuid,
  root_id          uuid,
  created_at       timestamptz not null,
  accepted_at      timestamptz not null,
  first_attempt_at timestamptz,
  last_attempt_at  timestamptz,
  resolved_at      timestamptz,
  attempt          smallint    not null default 0,
  priority         smallint    not null default 0,
  depth            smallint    not null default 0,
  data_binary      boolean     not null default false,
  app_id           text        collate "C" not null,
  trigger_id       text        collate "C",
  resolution       text,
  resolution_note  text,
  ordering_key     text,
  source           text        not null,
  type             text        not null,
  subject          text,
  external_id      text,
  attributes       text,
  principal        text,
  traceparent      text,
  last_error       text,
  attempts         text,
  data             bytea,
  primary key (app_id, id),
  constraint dead_letter_resolution_known
    check (resolution in ('replayed', 'ignored', 'handled_by_script', 'handler_failed'))
);

-- Ids are version 7, so this index lists an app's open dead letters by age.
create index dead_letter_open on viesti.dead_letter (app_id, id) where resolved_at is null;

comment on table  viesti.dead_letter is 'Deliveries given up on, kept until resolved or swept.';
comment on column viesti.dead_letter.attempt is 'Attempts made before it was given up.';

create table viesti.idempotency_key (
  event_id    uuid        not null,
  accepted_at timestamptz not null default now(),
  app_id      text        collate "C" not null,
  primary key (app_id, event_id)
) with (
  -- Swept by age in large deletes, like the outbox.
  autovacuum_vacuum_scale_factor = 0.05
);

-- Rows arrive in the order of time, so a block range index finds the old ones at almost no cost
-- for an insert; a B-tree would be as much WAL again as the row.
create index idempotency_key_age on viesti.idempotency_key
  using brin (accepted_at) with (pages_per_range = 32, autosummarize = on);

comment on table viesti.idempotency_key is
  'Events accepted lately: a repeated one is answered, not stored again.';

create table viesti.app (
  created_at   timestamptz not null,
  updated_at   timestamptz not null,
  paused       boolean     not null,
  app_id       text        collate "C" primary key,
  display_name text
);

comment on table viesti.app is
  'Directory of apps: a read model of the journal, which is the truth.';

-- Pekko Persistence JDBC 1.1.1, its schema/postgres/postgres-create-schema.sql, in this schema and
-- without "concurrently", which no transaction may contain. Column names and types are Pekko's.
create table viesti.event_journal (
  ordering           bigserial,
  persistence_id     varchar(255) not null,
  sequence_number    bigint       not null,
  deleted            boolean      not null default false,
  writer             varchar(255) not null,
  write_timestamp    bigint,
  adapter_manifest   varchar(255),
  event_ser_id       integer      not null,
  event_ser_manifest varchar(255) not null,
  event_payload      bytea        not null,
  meta_ser_id        integer,
  meta_ser_manifest  varchar(255),
  meta_payload       bytea,
  primary key (persistence_id, sequence_number)
);

create unique index event_journal_ordering_idx on viesti.event_journal (ordering);

create table viesti.event_tag (
  event_id bigint,
  tag      varchar(256),
  primary key (event_id, tag),
  constraint fk_event_journal
    foreign key (event_id) references viesti.event_journal (ordering) on delete cascade
);

create table viesti.snapshot (
  persistence_id        varchar(255) not null,
  sequence_number       bigint       not null,
  created               bigint       not null,
  snapshot_ser_id       integer      not null,
  snapshot_ser_manifest varchar(255) not null,
  snapshot_payload      bytea        not null,
  meta_ser_id           integer,
  meta_ser_manifest     varchar(255),
  meta_payload          bytea,
  primary key (persistence_id, sequence_number)
);

create table viesti.durable_state (
  global_offset         bigserial,
  persistence_id        varchar(255) not null,
  revision              bigint       not null,
  state_payload         bytea        not null,
  state_serial_id       integer      not null,
  state_serial_manifest varchar(255),
  tag                   varchar,
  state_timestamp       bigint       not null,
  primary key (persistence_id)
);

create index state_tag_idx on viesti.durable_state (tag);
create index state_global_offset_idx on viesti.durable_state (global_offset);

comment on table viesti.event_journal is 'Pekko Persistence: the control plane''s events.';
comment on table viesti.event_tag is 'Pekko Persistence: tags of events.';
comment on table viesti.snapshot is 'Pekko Persistence: snapshots of the control plane''s states.';
comment on table viesti.durable_state is
  'Pekko Persistence: unused so far; its plugin expects the table.';

-- Decides which side of a split cluster lives; empty but for a minute after such a decision.
create table viesti.cluster_lease (
  name       text        primary key,
  owner      text        not null,
  held_until timestamptz not null
);
