-- The blog: members, roles, sessions, posts, comments, tags, redirects, and the tallies that make page numbers exact.
-- depends:
-- Each migration only adds (the expanding kind), so that the old code may run beside the new schema.

CREATE TABLE users (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    email VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL UNIQUE,
    name VARCHAR(200) NOT NULL,
    password_hash VARCHAR(255) NULL,
    image VARCHAR(500) NOT NULL DEFAULT '',
    created_at DATETIME(6) NOT NULL,
    confirmed_at DATETIME(6) NULL,
    active TINYINT(1) NOT NULL DEFAULT 1,
    version BIGINT NOT NULL DEFAULT 1,
    KEY newest (created_at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE logins (
    user_id BIGINT NOT NULL PRIMARY KEY,
    count BIGINT NOT NULL DEFAULT 0,
    last_at DATETIME(6) NOT NULL,
    last_ip VARBINARY(16) NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE roles (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL UNIQUE,
    permissions INT NOT NULL,
    description VARCHAR(200) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE roles_users (
    user_id BIGINT NOT NULL,
    role_id BIGINT NOT NULL,
    PRIMARY KEY (user_id, role_id),
    KEY by_role (role_id, user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE sessions (
    token_sha256 BINARY(32) NOT NULL PRIMARY KEY,
    id BIGINT NOT NULL AUTO_INCREMENT UNIQUE,
    user_id BIGINT NOT NULL,
    created_at DATETIME(6) NOT NULL,
    expires_at DATETIME(6) NOT NULL,
    seen_at DATETIME(6) NOT NULL,
    ip VARBINARY(16) NULL,
    user_agent VARCHAR(255) NOT NULL DEFAULT '',
    KEY by_user (user_id, id),
    KEY by_end (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE links (
    token_sha256 BINARY(32) NOT NULL PRIMARY KEY,
    purpose VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    user_id BIGINT NULL,
    expires_at DATETIME(6) NOT NULL,
    KEY by_end (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE posts (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    author_id BIGINT NOT NULL,
    byline VARCHAR(500) NULL,
    slug VARCHAR(200) NOT NULL,
    title VARCHAR(200) NOT NULL,
    summary VARCHAR(400) NOT NULL,
    body_md MEDIUMTEXT NOT NULL,
    body_html MEDIUMTEXT NOT NULL,
    status ENUM('draft', 'scheduled', 'published', 'trashed') NOT NULL,
    published_at DATETIME(6) NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    source_path VARCHAR(500) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL UNIQUE,
    version BIGINT NOT NULL DEFAULT 1,
    KEY newest (status, published_at, id),
    KEY by_author (author_id, status, published_at, id),
    KEY mine (author_id, id),
    KEY managed (status, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE redirects (
    path VARCHAR(500) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,
    target VARCHAR(500) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE tags (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL UNIQUE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- published_at repeats the post's while it is published (else NULL), so that a tag's pages are one index walk.
CREATE TABLE posts_tags (
    post_id BIGINT NOT NULL,
    tag_id BIGINT NOT NULL,
    published_at DATETIME(6) NULL,
    PRIMARY KEY (post_id, tag_id),
    KEY newest (tag_id, published_at, post_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE comments (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    post_id BIGINT NOT NULL,
    parent_id BIGINT NULL,
    author_id BIGINT NOT NULL,
    body_md TEXT NOT NULL,
    body_html MEDIUMTEXT NOT NULL,
    status ENUM('shown', 'held', 'trashed') NOT NULL,
    created_at DATETIME(6) NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    KEY thread (post_id, parent_id, id),
    KEY replies (parent_id, status, id),
    KEY mine (author_id, id),
    KEY newest (status, created_at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- How many rows a list has on a day (UTC), changed in the row's own transaction: exact counts without COUNT(*).
CREATE TABLE tallies (
    list VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    day DATE NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (list, day)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;
