-- +goose Up

-- A user's or an event's version, where the company gives one. covered_digest tells a
-- repeat of an event's first post, while changes that came before it stand over it.
ALTER TABLE users ADD COLUMN version BIGINT NULL;
ALTER TABLE events ADD COLUMN version BIGINT NULL;
ALTER TABLE events ADD COLUMN covered_digest BIGINT NULL;

-- +goose Down

ALTER TABLE events DROP COLUMN covered_digest;
ALTER TABLE events DROP COLUMN version;
ALTER TABLE users DROP COLUMN version;
