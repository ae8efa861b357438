-- The source of the Iterable sync (contracts: iterable.md). For MySQL 8 and MariaDB 10.11.
DROP TABLE IF EXISTS page_views;
DROP TABLE IF EXISTS customers;

CREATE TABLE customers (
  id INT AUTO_INCREMENT,
  email VARCHAR(255) UNIQUE,
  first_name VARCHAR(255),
  last_name VARCHAR(255),
  plan_type ENUM('free', 'basic', 'pro', 'enterprise'),
  candidate VARCHAR(255),
  PRIMARY KEY (id)
);

CREATE TABLE page_views (
  id BIGINT AUTO_INCREMENT,
  user_id INT,
  page VARCHAR(64),
  device VARCHAR(32),
  browser VARCHAR(32),
  location VARCHAR(255),
  event_time DATETIME,
  PRIMARY KEY (id),
  FOREIGN KEY (user_id) REFERENCES customers (id)
);

CREATE INDEX page_views_by_user ON page_views (user_id, event_time);
CREATE INDEX page_views_by_page ON page_views (page, event_time);
