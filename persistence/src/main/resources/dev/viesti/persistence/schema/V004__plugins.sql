-- What plugins keep. Their writes meet rows in one statement of one order, "insert … on conflict do
-- update": what a write expects travels in a column of the row that it proposes.

-- Of one sequence for all: a value that is put again after it was deleted has a version that no
-- earlier one had, and nothing of it needs to stay for that.
create sequence viesti.kv_version;

create table viesti.kv (
  version    bigint      not null,
  updated_at timestamptz not null,
  expected   bigint,
  app_id     text        collate "C" not null,
  collection text        collate "C" not null,
  key        text        collate "C" not null,
  value      bytea,
  primary key (app_id, collection, key)
) with (
  -- A counter is written again and again: room for heap-only updates in the page.
  fillfactor = 70
);

comment on table  viesti.kv is 'Values that plugins keep, by collection and key.';
comment on column viesti.kv.version is
  'Another one after each write, and larger after each that replaces a value; never used twice.';
comment on column viesti.kv.expected is
  'Carries the version that a write has seen to the row that it meets, 0 = none was there. '
  'Committed rows have null, or a number up to 0 that means nothing.';
comment on column viesti.kv.value is
  'null only inside of the transaction that deletes the row.';

create table viesti.plugin_entity (
  id         uuid        not null,
  version    bigint      not null,
  expected   bigint      not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  app_id     text        collate "C" not null,
  plugin_id  text        collate "C" not null,
  entity     text        collate "C" not null,
  created_by text        not null,
  updated_by text        not null,
  deleted_by text,
  data       jsonb       not null,
  primary key (app_id, plugin_id, entity, id)
);

comment on table  viesti.plugin_entity is 'Things that plugins keep, of the types they declare.';
comment on column viesti.plugin_entity.version is '1 when it was inserted, one more after each write.';
comment on column viesti.plugin_entity.expected is
  'Carries the version that a write has seen to the row that it meets, 0 = none was there. '
  'Committed rows have a number up to 0 that means nothing.';
comment on column viesti.plugin_entity.deleted_at is
  'Soft: no query finds it any more, and its id stays taken.';

create table viesti.numbering (
  last      bigint not null,
  expected  bigint not null,
  app_id    text   collate "C" not null,
  plugin_id text   collate "C" not null,
  rule      text   collate "C" not null,
  period    text   collate "C" not null,
  primary key (app_id, plugin_id, rule, period)
) with (
  -- One row takes all numbers of a period.
  fillfactor = 50
);

comment on table  viesti.numbering is 'Numbers without gaps: the last one taken of each series.';
comment on column viesti.numbering.period is
  'The day, month or year that is counted in, '''' = for ever.';
comment on column viesti.numbering.expected is
  'Carries the number that a write has seen to the row that it meets, 0 = none was there. '
  'Committed rows have a number up to 0 that means nothing.';

create table viesti.plugin_artifact (
  created_at timestamptz not null,
  size       integer     not null,
  sha256     text        collate "C" primary key,
  bytes      bytea       not null
);

comment on table  viesti.plugin_artifact is
  'Modules of plugins by their content, for all apps; removed when no app uses them.';
comment on column viesti.plugin_artifact.sha256 is '64 hexadecimal digits.';
