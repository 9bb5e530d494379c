/** What libpq takes in an address, what values each may have, and the variable that holds its default. */
type Parameter = {
  variable?: string;
  /** The values that we can follow. Undefined: any. */
  values?: RegExp;
};

const yesOrNo = /^[01]$/;
const seconds = /^-?\d+$/;
const protocols = /^TLSv1\.[23]$/;

const parameters: Record<string, Parameter> = {
  host: { variable: 'PGHOST' },
  hostaddr: {},
  port: { variable: 'PGPORT' },
  dbname: { variable: 'PGDATABASE' },
  user: { variable: 'PGUSER' },
  password: { variable: 'PGPASSWORD' },
  connect_timeout: { variable: 'PGCONNECT_TIMEOUT', values: seconds },
  options: { variable: 'PGOPTIONS' },
  // We name our sessions ourselves, and speak UTF-8.
  application_name: { variable: 'PGAPPNAME' },
  fallback_application_name: {},
  client_encoding: { variable: 'PGCLIENTENCODING', values: /^(auto|utf-?8|unicode)$/i },
  keepalives: { values: yesOrNo },
  keepalives_idle: { values: seconds },
  // Node leaves these to the system. A silent connection is found by the deadline of its statement.
  keepalives_interval: { values: seconds },
  keepalives_count: { values: seconds },
  tcp_user_timeout: { values: seconds },
  sslmode: { variable: 'PGSSLMODE', values: /^(disable|allow|prefer|require|verify-ca|verify-full)$/ },
  sslnegotiation: { variable: 'PGSSLNEGOTIATION', values: /^(postgres|direct)$/ },
  sslrootcert: { variable: 'PGSSLROOTCERT' },
  sslcert: { variable: 'PGSSLCERT' },
  sslkey: { variable: 'PGSSLKEY' },
  sslpassword: {},
  sslcrl: { variable: 'PGSSLCRL' },
  sslsni: { variable: 'PGSSLSNI', values: yesOrNo },
  sslcompression: { variable: 'PGSSLCOMPRESSION', values: /^0$/ },
  ssl_min_protocol_version: { variable: 'PGSSLMINPROTOCOLVERSION', values: protocols },
  ssl_max_protocol_version: { variable: 'PGSSLMAXPROTOCOLVERSION', values: protocols },
  channel_binding: { variable: 'PGCHANNELBINDING', values: /^(disable|prefer|require)$/ },
  gssencmode: { variable: 'PGGSSENCMODE', values: /^(disable|prefer)$/ },
  target_session_attrs: { variable: 'PGTARGETSESSIONATTRS', values: /^(any|read-write|primary)$/ },
  load_balance_hosts: { variable: 'PGLOADBALANCEHOSTS', values: /^disable$/ },
};

/** What is wrong with a parameter, if anything. Its value is repeated only where it is one of a few words. */
export function parameterProblem(name: string, value: string): string | undefined {
  const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
  if (parameter === undefined) return `has the parameter "${name}", which we cannot follow: remove it`;
  const { values } = parameter;
  if (values === undefined || values.test(value)) return undefined;
  const word = /^[\w.-]{1,20}$/.test(value) ? `=${value}` : '';
  return `has ${name}${word}, which we cannot follow (we can: ${values.source.replace(/[\^$()\\]/g, '').replaceAll('|', ', ')})`;
}

export function defaultsFromEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  const defaults: Record<string, string> = {};
  for (const [name, { variable }] of Object.entries(parameters)) {
    const value = variable && environment[variable];
    if (value) defaults[name] = value;
  }
  return defaults;
}
