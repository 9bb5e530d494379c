-- What each role may do with the tables of 0005; may be run again, like 0002_roles.sql.
DO $$
DECLARE
  granted record;
BEGIN
  FOR granted IN
    SELECT * FROM (VALUES
      ('segue_relay', 'SELECT, INSERT, UPDATE', 'TABLE relay_slots'),
      ('segue_relay', 'SELECT, INSERT, UPDATE, DELETE', 'TABLE relays'),
      ('segue_relay', 'SELECT, UPDATE', 'TABLE relay_control'),
      ('segue_api', 'SELECT', 'TABLE relay_control'),
      ('segue_reader', 'SELECT', 'TABLE relay_slots, relays, relay_control')
    ) AS rights (role_name, privileges, objects)
    WHERE to_regrole(role_name) IS NOT NULL
  LOOP
    EXECUTE format('GRANT %s ON %s TO %I', granted.privileges, granted.objects, granted.role_name);
  END LOOP;
END $$;
