-- Tokens by which programs use the API in a member's name.
-- depends: 0003-outbox

-- scopes: words from models/tokens.py, a space between. expires_at: NULL for never. last_used_at: exact to an hour.
CREATE TABLE tokens (
    token_sha256 BINARY(32) NOT NULL PRIMARY KEY,
    id BIGINT NOT NULL AUTO_INCREMENT UNIQUE,
    user_id BIGINT NOT NULL,
    name VARCHAR(60) NOT NULL,
    scopes VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    created_at DATETIME(6) NOT NULL,
    expires_at DATETIME(6) NULL,
    last_used_at DATETIME(6) NULL,
    KEY of_user (user_id, id),
    KEY by_end (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;
