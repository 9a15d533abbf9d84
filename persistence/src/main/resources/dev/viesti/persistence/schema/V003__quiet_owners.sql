-- What an owner leaves to the next one, so that limits of the rate hold across it and no longer.

alter table viesti.outbox_owner add column quiet_since timestamptz;

comment on column viesti.outbox_owner.quiet_since is
  'Of a released outbox: no attempt was started after this; null = its owner did not say.';
