/**
 * What a pod's process inherits of the platform's own environment: enough to find programs, a home, a language and a
 * place for temporary files. Everything else stays with the platform, since it may hold secrets.
 */
const INHERITED = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  "LANG",
  "LC_ALL",
  "LC_CTYPE",
  "TZ",
  "TMPDIR",
] as const;

/** The inherited variables that are set, read once. */
export function inheritedEnvironment(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const name of INHERITED) {
    const value = process.env[name];
    if (value !== undefined) found.set(name, value);
  }
  return found;
}
