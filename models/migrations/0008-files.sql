-- Files: what members have uploaded, and the bytes, which are stored once however many have uploaded them.
-- depends: 0001-the-blog

-- holds: how many rows of `files` need these bytes. When nothing holds them any more, released_at says since when, and the worker deletes
-- them a while later, under the lock of this row.
CREATE TABLE blobs (
    sha256 BINARY(32) NOT NULL PRIMARY KEY,
    size BIGINT NOT NULL,
    holds BIGINT NOT NULL,
    released_at DATETIME(6) NULL,
    KEY unheld (released_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- original: sha256 again while the row is shown and is no resized copy, else NULL: the same bytes are one row of an owner. parent_id, box:
-- what a resized copy was made of, and the size that was asked for, "300x200"; an original has NULL and "". Every list is of originals,
-- so parent_id stands in its index: however many copies lie between two of them, none is read. trashed_by: NULL when its time was over.
CREATE TABLE files (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    owner_id BIGINT NOT NULL,
    name VARCHAR(255) NOT NULL,
    stored_name VARCHAR(48) CHARACTER SET ascii COLLATE ascii_bin NOT NULL UNIQUE,
    sha256 BINARY(32) NOT NULL,
    md5 BINARY(16) NOT NULL,
    mime VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    kind ENUM('image', 'pdf', 'video', 'audio', 'text', 'binary') NOT NULL,
    size BIGINT NOT NULL,
    width INT NULL,
    height INT NULL,
    parent_id BIGINT NULL,
    box VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
    status ENUM('shown', 'trashed') NOT NULL,
    original BINARY(32) NULL,
    created_at DATETIME(6) NOT NULL,
    trashed_at DATETIME(6) NULL,
    trashed_by BIGINT NULL,
    expires_at DATETIME(6) NULL,
    version BIGINT NOT NULL DEFAULT 1,
    UNIQUE KEY once (owner_id, original),
    UNIQUE KEY resized (parent_id, box),
    KEY newest (parent_id, status, id),
    KEY of_kind (kind, parent_id, status, id),
    KEY of_owner (owner_id, parent_id, status, id),
    KEY of_bytes (sha256, id),
    KEY expiring (status, expires_at, id),
    KEY gone (trashed_at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

-- What a member's files take, those in the trash too, resized copies too: changed in the transaction of the file.
CREATE TABLE file_quotas (
    user_id BIGINT NOT NULL PRIMARY KEY,
    bytes BIGINT NOT NULL,
    files BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;
