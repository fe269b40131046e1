/** What a process of a test's cluster is told by its environment. */
export function processEnvironment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}
