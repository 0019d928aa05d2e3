-- +goose Up

-- A user's or an event's version, where the company gives one. covered_digest tells a
-- repeat of an event's first post, while changes that came before it stand over it.
-- MySQL commits each ALTER by itself, and has no IF NOT EXISTS for columns: a migration
-- that died half-way must pass again.
SET @alter = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'users' AND column_name = 'version') = 0,
  'ALTER TABLE users ADD COLUMN version BIGINT NULL', 'DO 0');
PREPARE alter_once FROM @alter;
EXECUTE alter_once;
DEALLOCATE PREPARE alter_once;
SET @alter = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'events' AND column_name = 'version') = 0,
  'ALTER TABLE events ADD COLUMN version BIGINT NULL, ADD COLUMN covered_digest BIGINT NULL', 'DO 0');
PREPARE alter_once FROM @alter;
EXECUTE alter_once;
DEALLOCATE PREPARE alter_once;

-- +goose Down

ALTER TABLE events DROP COLUMN covered_digest, DROP COLUMN version;
ALTER TABLE users DROP COLUMN version;
