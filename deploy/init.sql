-- Run by the server at each start. The application's account has every right in its own database and none outside it.
ALTER USER 'root'@'localhost' IDENTIFIED BY '{{ root_password }}';
CREATE DATABASE IF NOT EXISTS `{{ mysql.database }}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;
CREATE USER IF NOT EXISTS '{{ mysql.user }}'@'localhost' IDENTIFIED BY '{{ mysql.password }}';
ALTER USER '{{ mysql.user }}'@'localhost' IDENTIFIED BY '{{ mysql.password }}';
GRANT ALL PRIVILEGES ON `{{ mysql.database }}`.* TO '{{ mysql.user }}'@'localhost';
DROP USER IF EXISTS 'root'@'127.0.0.1', 'root'@'::1';
