// The registry's tables, as numbered steps: each is applied once, in order, and never changed again.

/** One step. */
export interface Migration {
  number: number;
  sql: string;
}

/** Told whenever an endpoint has to look again. */
export const CHANGED = 'iotshaper_changed';

export const MIGRATIONS: readonly Migration[] = [
  {
    number: 1,
    sql: `
CREATE TABLE fleet (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  tunnel_net text NOT NULL,
  inner_net text NOT NULL,
  inner_net6 text NOT NULL,
  certificate text NOT NULL,
  key text NOT NULL,
  authority_certificate text,
  authority_key text,
  limits jsonb NOT NULL DEFAULT '{}',
  CHECK ((authority_certificate IS NULL) = (authority_key IS NULL))
);
COMMENT ON TABLE fleet IS 'What all endpoints have in common: the ranges inside the tunnel, the certificate homes know them by, what signs homes'' certificates, what homes are allowed (limits). Its keys are secrets.';

CREATE TABLE endpoints (
  name text PRIMARY KEY,
  host text NOT NULL,
  port integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
  joined_at timestamptz NOT NULL DEFAULT now(),
  seen_at timestamptz,
  UNIQUE (host, port)
);
COMMENT ON TABLE endpoints IS 'Machines that serve the homes, each reached by its own host and port.';

CREATE TABLE homes (
  name text PRIMARY KEY,
  host integer NOT NULL UNIQUE CHECK (host BETWEEN 2 AND 254),
  common_name text NOT NULL UNIQUE,
  fingerprint text NOT NULL,
  control_key text NOT NULL
);
COMMENT ON TABLE homes IS 'host: last byte of the tunnel address. control_key: a secret shared with the home.';

CREATE TABLE holdings (
  home text PRIMARY KEY REFERENCES homes ON DELETE CASCADE ON UPDATE CASCADE,
  endpoint text NOT NULL REFERENCES endpoints ON DELETE CASCADE ON UPDATE CASCADE,
  since timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE holdings IS 'Which endpoint a home is connected to; none for one that is not.';

CREATE TABLE usage (
  home text NOT NULL REFERENCES homes ON DELETE CASCADE ON UPDATE CASCADE,
  month date NOT NULL CHECK (extract(day FROM month) = 1),
  endpoint text NOT NULL,
  bytes bigint NOT NULL DEFAULT 0 CHECK (bytes >= 0),
  PRIMARY KEY (home, month, endpoint)
);
COMMENT ON TABLE usage IS 'Bytes to and from a home in a month (UTC), by the endpoint that has counted them: the schedule, whatever devices did.';

CREATE FUNCTION tell_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('${CHANGED}', TG_TABLE_NAME);
  RETURN NULL;
END $$;
CREATE TRIGGER fleet_changed AFTER INSERT OR UPDATE OR DELETE ON fleet
  FOR EACH STATEMENT EXECUTE FUNCTION tell_change();
CREATE TRIGGER homes_changed AFTER INSERT OR UPDATE OR DELETE ON homes
  FOR EACH STATEMENT EXECUTE FUNCTION tell_change();
CREATE TRIGGER endpoints_changed AFTER INSERT OR DELETE OR UPDATE OF name, host, port ON endpoints
  FOR EACH STATEMENT EXECUTE FUNCTION tell_change();
`,
  },
  {
    number: 2,
    sql: `
ALTER TABLE endpoints ADD COLUMN drained boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN endpoints.drained IS 'Whether it sends its homes on to the others, as it has said last.';
`,
  },
  {
    number: 3,
    sql: `
ALTER TABLE endpoints
  ADD COLUMN cores integer CHECK (cores > 0),
  ADD COLUMN slots double precision NOT NULL DEFAULT 0 CHECK (slots >= 0),
  ADD COLUMN kbps double precision NOT NULL DEFAULT 0 CHECK (kbps >= 0);
COMMENT ON COLUMN endpoints.cores IS 'Processors of the machine, by which it reckons how many packets a second it carries; null where it has not said.';
COMMENT ON COLUMN endpoints.slots IS 'Packets a second that its homes have each way, as it has said last: the schedule, whatever devices do.';
COMMENT ON COLUMN endpoints.kbps IS 'KB/s that its homes have each way, as it has said last.';
`,
  },
];

/** The newest step this program knows. */
export const NEWEST = MIGRATIONS.at(-1)!.number;
