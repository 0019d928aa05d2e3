-- +goose Up

-- What a coupon stakes is shared equally by its legs. Stakes are in the user's
-- currency, so sums never cross currencies; a user who was not posted has none.
CREATE OR REPLACE VIEW analytics_turnover AS
SELECT co.name AS company, DATE(c.placed_at) AS day, e.sport, e.league, u.currency,
       COUNT(DISTINCT c.id) AS coupons, COUNT(*) AS legs, SUM(c.stake / c.legs) AS turnover
FROM selections s
JOIN coupons c ON c.id = s.coupon_pk
JOIN companies co ON co.id = c.company_id
LEFT JOIN events e ON e.company_id = s.company_id AND e.event_id = s.event_id AND e.announced = 1
LEFT JOIN users u ON u.company_id = c.company_id AND u.user_id = c.user_id
GROUP BY co.name, DATE(c.placed_at), e.sport, e.league, u.currency;

CREATE OR REPLACE VIEW analytics_popular AS
SELECT co.name AS company, s.event_id, e.sport, e.league, e.begin_at, e.status, s.market, s.outcome,
       COUNT(*) AS legs, COUNT(DISTINCT c.user_id) AS bettors, AVG(s.odds) AS average_odds
FROM selections s
JOIN coupons c ON c.id = s.coupon_pk
JOIN companies co ON co.id = s.company_id
LEFT JOIN events e ON e.company_id = s.company_id AND e.event_id = s.event_id AND e.announced = 1
GROUP BY co.name, s.event_id, e.sport, e.league, e.begin_at, e.status, s.market, s.outcome;

CREATE OR REPLACE VIEW analytics_bettors AS
SELECT co.name AS company, c.user_id, u.country, u.currency,
       COUNT(*) AS coupons, SUM(c.legs) AS legs, SUM(c.stake) AS staked,
       MIN(c.placed_at) AS first_bet, MAX(c.placed_at) AS last_bet
FROM coupons c
JOIN companies co ON co.id = c.company_id
LEFT JOIN users u ON u.company_id = c.company_id AND u.user_id = c.user_id
GROUP BY co.name, c.user_id, u.country, u.currency;

-- A bettor is new on the day of the first bet.
CREATE OR REPLACE VIEW analytics_new_bettors AS
SELECT f.company, f.country, DATE(f.first_bet) AS day, COUNT(*) AS bettors
FROM analytics_bettors f
GROUP BY f.company, f.country, DATE(f.first_bet);

CREATE OR REPLACE VIEW analytics_time_to_kickoff AS
SELECT co.name AS company, e.sport, e.league,
       TIMESTAMPDIFF(HOUR, c.placed_at, e.begin_at) AS hours_before, COUNT(*) AS legs
FROM selections s
JOIN coupons c ON c.id = s.coupon_pk
JOIN companies co ON co.id = s.company_id
JOIN events e ON e.company_id = s.company_id AND e.event_id = s.event_id AND e.announced = 1
GROUP BY co.name, e.sport, e.league, TIMESTAMPDIFF(HOUR, c.placed_at, e.begin_at);

-- +goose Down

DROP VIEW analytics_time_to_kickoff, analytics_new_bettors, analytics_bettors, analytics_popular, analytics_turnover;
