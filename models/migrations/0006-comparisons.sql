-- The auditor: writes that are to be compared on every level, and what was found older than it may be.
-- depends: 0003-outbox

CREATE TABLE comparisons (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    writer BINARY(16) NOT NULL,
    names MEDIUMBLOB NOT NULL,
    at DATETIME(6) NOT NULL,
    looks TINYINT NOT NULL DEFAULT 0,
    due DATETIME(6) NOT NULL,
    trace MEDIUMTEXT NOT NULL,
    KEY by_due (due)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE violations (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    at DATETIME(6) NOT NULL,
    level VARCHAR(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    name VARCHAR(500) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    trace MEDIUMTEXT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;
