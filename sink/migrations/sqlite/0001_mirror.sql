-- +goose Up

CREATE TABLE companies (
  id   INTEGER PRIMARY KEY AUTOINCREMENT,
  name VARCHAR(50) NOT NULL UNIQUE
);

-- A partition of a topic in one of its lives: where rows came from.
CREATE TABLE sources (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  topic        VARCHAR(100) NOT NULL,
  topic_id     VARCHAR(36)  NOT NULL,
  partition_no INT          NOT NULL,
  UNIQUE (topic_id, partition_no)
);

CREATE TABLE users (
  id                INTEGER PRIMARY KEY AUTOINCREMENT,
  company_id        INT          NOT NULL,
  user_id           VARCHAR(50)  NOT NULL,
  birth_year        SMALLINT     NOT NULL,
  country           VARCHAR(100) NOT NULL,
  currency          VARCHAR(3)   NOT NULL,
  gender            VARCHAR(20)  NOT NULL,
  registration_date DATETIME     NOT NULL,
  name              VARCHAR(100) NULL,
  favourite_sport   VARCHAR(50)  NULL,
  favourite_league  VARCHAR(50)  NULL,
  extra             TEXT         NULL,
  received_at       DATETIME     NOT NULL,
  source_id         INT          NOT NULL,
  source_offset     BIGINT       NOT NULL,
  appended_at       DATETIME     NOT NULL,
  UNIQUE (company_id, user_id)
);
CREATE INDEX users_country ON users (company_id, country, registration_date);

-- announced is 0 while only changes of an event are known, not the event itself.
CREATE TABLE events (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  company_id    INT          NOT NULL,
  event_id      VARCHAR(50)  NOT NULL,
  announced     TINYINT      NOT NULL,
  sport         VARCHAR(50)  NULL,
  league        VARCHAR(50)  NULL,
  country       VARCHAR(100) NULL,
  begin_at      DATETIME     NULL,
  end_at        DATETIME     NULL,
  home          VARCHAR(100) NULL,
  away          VARCHAR(100) NULL,
  status        VARCHAR(10)  NULL,
  result        VARCHAR(100) NULL,
  markets       TEXT         NULL,
  extra         TEXT         NULL,
  received_at   DATETIME     NOT NULL,
  source_id     INT          NOT NULL,
  source_offset BIGINT       NOT NULL,
  appended_at   DATETIME     NOT NULL,
  UNIQUE (company_id, event_id)
);
CREATE INDEX events_begin ON events (company_id, begin_at, event_id);
CREATE INDEX events_league ON events (company_id, sport, league, begin_at);
CREATE INDEX events_status ON events (company_id, status, begin_at);

CREATE TABLE event_participants (
  event_pk BIGINT       NOT NULL,
  position SMALLINT     NOT NULL,
  name     VARCHAR(100) NOT NULL,
  PRIMARY KEY (event_pk, position)
);
CREATE INDEX event_participants_name ON event_participants (name);

CREATE TABLE coupons (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  company_id    INT         NOT NULL,
  user_id       VARCHAR(50) NOT NULL,
  coupon_id     VARCHAR(50) NOT NULL,
  stake         DOUBLE      NOT NULL,
  placed_at     DATETIME    NOT NULL,
  legs          SMALLINT    NOT NULL,
  extra         TEXT        NULL,
  received_at   DATETIME    NOT NULL,
  source_id     INT         NOT NULL,
  source_offset BIGINT      NOT NULL,
  appended_at   DATETIME    NOT NULL,
  UNIQUE (company_id, user_id, coupon_id)
);
CREATE INDEX coupons_user ON coupons (company_id, user_id, placed_at);
CREATE INDEX coupons_placed ON coupons (company_id, placed_at);
CREATE INDEX coupons_source ON coupons (source_id, source_offset);

CREATE TABLE selections (
  coupon_pk  BIGINT      NOT NULL,
  position   SMALLINT    NOT NULL,
  company_id INT         NOT NULL,
  event_id   VARCHAR(50) NOT NULL,
  odds       DOUBLE      NOT NULL,
  market     VARCHAR(50) NULL,
  outcome    VARCHAR(50) NULL,
  PRIMARY KEY (coupon_pk, position)
);
CREATE INDEX selections_event ON selections (company_id, event_id, market, outcome);

-- +goose Down

DROP TABLE selections;
DROP TABLE coupons;
DROP TABLE event_participants;
DROP TABLE events;
DROP TABLE users;
DROP TABLE sources;
DROP TABLE companies;
