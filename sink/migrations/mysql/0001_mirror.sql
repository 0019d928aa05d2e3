-- +goose Up

CREATE TABLE IF NOT EXISTS companies (
  id   INT AUTO_INCREMENT PRIMARY KEY,
  name VARCHAR(50) NOT NULL,
  UNIQUE KEY companies_name (name)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- A partition of a topic in one of its lives: where rows came from.
CREATE TABLE IF NOT EXISTS sources (
  id        INT AUTO_INCREMENT PRIMARY KEY,
  topic     VARCHAR(100) NOT NULL,
  topic_id  VARCHAR(36)  NOT NULL,
  partition_no INT       NOT NULL,
  UNIQUE KEY sources_place (topic_id, partition_no)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS users (
  id                BIGINT AUTO_INCREMENT PRIMARY KEY,
  company_id        INT          NOT NULL,
  user_id           VARCHAR(50)  NOT NULL,
  birth_year        SMALLINT     NOT NULL,
  country           VARCHAR(100) NOT NULL,
  currency          VARCHAR(3)   NOT NULL,
  gender            VARCHAR(20)  NOT NULL,
  registration_date DATETIME(6)  NOT NULL,
  name              VARCHAR(100) NULL,
  favourite_sport   VARCHAR(50)  NULL,
  favourite_league  VARCHAR(50)  NULL,
  extra             TEXT         NULL,
  received_at       DATETIME(6)  NOT NULL,
  source_id         INT          NOT NULL,
  source_offset     BIGINT       NOT NULL,
  appended_at       DATETIME(6)  NOT NULL,
  UNIQUE KEY users_public (company_id, user_id),
  KEY users_country (company_id, country, registration_date)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- announced is 0 while only changes of an event are known, not the event itself.
CREATE TABLE IF NOT EXISTS events (
  id            BIGINT AUTO_INCREMENT PRIMARY KEY,
  company_id    INT          NOT NULL,
  event_id      VARCHAR(50)  NOT NULL,
  announced     TINYINT      NOT NULL,
  sport         VARCHAR(50)  NULL,
  league        VARCHAR(50)  NULL,
  country       VARCHAR(100) NULL,
  begin_at      DATETIME(6)  NULL,
  end_at        DATETIME(6)  NULL,
  home          VARCHAR(100) NULL,
  away          VARCHAR(100) NULL,
  status        VARCHAR(10)  NULL,
  result        VARCHAR(100) NULL,
  markets       MEDIUMTEXT   NULL,
  extra         TEXT         NULL,
  received_at   DATETIME(6)  NOT NULL,
  source_id     INT          NOT NULL,
  source_offset BIGINT       NOT NULL,
  appended_at   DATETIME(6)  NOT NULL,
  UNIQUE KEY events_public (company_id, event_id),
  KEY events_begin (company_id, begin_at, event_id),
  KEY events_league (company_id, sport, league, begin_at),
  KEY events_status (company_id, status, begin_at)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS event_participants (
  event_pk BIGINT       NOT NULL,
  position SMALLINT     NOT NULL,
  name     VARCHAR(100) NOT NULL,
  PRIMARY KEY (event_pk, position),
  KEY event_participants_name (name)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS coupons (
  id            BIGINT AUTO_INCREMENT PRIMARY KEY,
  company_id    INT         NOT NULL,
  user_id       VARCHAR(50) NOT NULL,
  coupon_id     VARCHAR(50) NOT NULL,
  stake         DOUBLE      NOT NULL,
  placed_at     DATETIME(6) NOT NULL,
  legs          SMALLINT    NOT NULL,
  extra         TEXT        NULL,
  received_at   DATETIME(6) NOT NULL,
  source_id     INT         NOT NULL,
  source_offset BIGINT      NOT NULL,
  appended_at   DATETIME(6) NOT NULL,
  UNIQUE KEY coupons_public (company_id, user_id, coupon_id),
  KEY coupons_user (company_id, user_id, placed_at),
  KEY coupons_placed (company_id, placed_at),
  KEY coupons_source (source_id, source_offset)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS selections (
  coupon_pk  BIGINT      NOT NULL,
  position   SMALLINT    NOT NULL,
  company_id INT         NOT NULL,
  event_id   VARCHAR(50) NOT NULL,
  odds       DOUBLE      NOT NULL,
  market     VARCHAR(50) NULL,
  outcome    VARCHAR(50) NULL,
  PRIMARY KEY (coupon_pk, position),
  KEY selections_event (company_id, event_id, market, outcome)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Down

DROP TABLE selections, coupons, event_participants, events, users, sources, companies;
