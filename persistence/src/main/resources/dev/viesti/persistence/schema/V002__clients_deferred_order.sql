-- Rows of clients, deferred outcomes, order that survives a replay, owners that die again and again.
-- New columns are null for most rows, and a null costs nothing.

alter table viesti.outbox add column deliver_at timestamptz;

comment on column viesti.outbox.due_at is
  '-infinity = at once; infinity = a client''s row, not routed yet; else the time of a retry, a '
  'schedule or a deadline.';
comment on column viesti.outbox.deliver_at is
  'Of a row that is not routed yet: its deliveries start no earlier.';
comment on column viesti.outbox.running_since is
  'An attempt began then and has not ended. Before due_at: it is deferred, and due_at is its '
  'deadline. After it: it has run for long, or is one that may have ended a node.';

alter table viesti.outbox_owner add column crashes integer not null default 0;

comment on column viesti.outbox_owner.crashes is
  'Owners in a row that went without a word; 0 once one has released the outbox.';

alter table viesti.dead_letter add column seq bigint;

comment on column viesti.dead_letter.seq is
  'Its number in the outbox: a replay of an ordered delivery puts it back in its old place.';

-- Where deferred deliveries are, for those who know only an id. A hint: the row of outbox is the
-- truth, and what is left here after the deadline is swept.
create table viesti.deferred_delivery (
  delivery_id uuid        not null,
  due_at      timestamptz not null,
  seq         bigint      not null,
  app_id      text        collate "C" not null,
  primary key (app_id, delivery_id)
);

create index deferred_delivery_due on viesti.deferred_delivery (due_at);

comment on table viesti.deferred_delivery is
  'Where the rows of deferred deliveries are in outbox: a hint, swept after the deadline.';
