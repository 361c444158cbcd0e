-- Who may do what in the database. A superuser runs this once for a database, and again whenever a password changes:
--
--   OWNER_PASSWORD=… APP_PASSWORD=… psql --no-psqlrc --file=deploy/roles.sql "postgres://postgres@host/presessions"
--
-- (the container of PostgreSQL does so by itself when it makes the database).
--
--   presessions_owner     owns the tables; only `manage.py migrate` logs in as this one
--   presessions_app       web, worker, beat, watch: rows and nothing else; the trail is added to and never changed
--   presessions_backup    reads everything, for deploy/backup.sh, and leaves its sign of life; with BACKUP_PASSWORD only
--   presessions_reader    looks, and sees no session, no password, no key; nobody logs in until it gets a password
--
-- What app and reader may do with each table is granted by `migrate` itself (presessions/database_roles.py), so that a
-- new table is never forgotten. It needs DATABASE_APP_ROLE, DATABASE_READER_ROLE and DATABASE_BACKUP_ROLE to know the names.
\set ON_ERROR_STOP on
\set QUIET on
\getenv owner_password OWNER_PASSWORD
\getenv app_password APP_PASSWORD
\if :{?owner_password} \else \warn 'Set OWNER_PASSWORD.' \q 3 \endif
\if :{?app_password} \else \warn 'Set APP_PASSWORD.' \q 3 \endif

SELECT format('CREATE ROLE %I', name) FROM unnest(ARRAY['presessions_owner', 'presessions_app', 'presessions_reader']) name
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE presessions_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
ALTER ROLE presessions_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'app_password';

SELECT format('ALTER DATABASE %I OWNER TO presessions_owner', current_database()) \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()) \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO presessions_app, presessions_reader', current_database()) \gexec
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO presessions_app, presessions_reader;

-- A database that was made before there were roles: what is in it gets its owner, and the next `migrate` its grants.
SELECT format('ALTER %s public.%I OWNER TO presessions_owner', kind, name) FROM (
    SELECT 'TABLE' AS kind, tablename AS name FROM pg_tables WHERE schemaname = 'public'
    UNION ALL SELECT 'VIEW', viewname FROM pg_views WHERE schemaname = 'public'
) things \gexec
SELECT format('ALTER FUNCTION %s OWNER TO presessions_owner', oid::regprocedure)
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace \gexec

\getenv backup_password BACKUP_PASSWORD
\if :{?backup_password}
SELECT 'CREATE ROLE presessions_backup'
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'presessions_backup') \gexec
ALTER ROLE presessions_backup LOGIN REPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'backup_password';
GRANT pg_read_all_data TO presessions_backup;
SELECT format('GRANT CONNECT ON DATABASE %I TO presessions_backup', current_database()) \gexec
\endif
