-- Which apps need which modules, so that those that no app needs can be swept.

create table viesti.module_use (
  since     bigint not null,
  app_id    text   collate "C" not null,
  plugin_id text   collate "C" not null,
  sha256    text   collate "C" not null references viesti.plugin_artifact,
  primary key (app_id, plugin_id, sha256)
);

create index module_use_sha256 on viesti.module_use (sha256);

comment on table  viesti.module_use is
  'Modules that versions of plugins need: there before the journal says so, gone after it.';
comment on column viesti.module_use.since is
  'Number in the app''s journal of the event that may need it: who knows only what was before has '
  'no say in it.';

-- What is there already may belong to an app that sleeps, of which this table knows nothing.
alter table viesti.plugin_artifact add column uses_known boolean not null default false;
alter table viesti.plugin_artifact alter column uses_known set default true;

comment on column viesti.plugin_artifact.uses_known is
  'Whether each app that needs it is in module_use; what is from before that table is never swept.';
