-- What a write must still make forgotten in Redis, kept in the write's own transaction: the worker does it, should the writer not
-- live to do it, and every process does it before it trusts a Redis that was away. writer: as Redis knows it. names: a line each.
CREATE TABLE outbox (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    writer BINARY(16) NOT NULL,
    names MEDIUMBLOB NOT NULL,
    at DATETIME(6) NOT NULL,
    KEY by_age (at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;
