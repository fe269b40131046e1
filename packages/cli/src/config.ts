/** What the environment may say. */
export interface Config {
  /** Also log what is only of interest when something is wrong with the platform itself. */
  readonly isVerbose: boolean;
}

/** `ROUSE_LOG=debug` shows everything that is logged; otherwise warnings and errors. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  return { isVerbose: environment.ROUSE_LOG === "debug" };
}
