/** What the command exits with. Part of the interface: scripts rely on it. */
export const exitCodes = {
  ok: 0,
  /** What was asked for could not be done: nothing listens, the API refused, a port is in use. */
  failed: 1,
  /** What was asked for makes no sense: unknown option, unreadable or wrong manifest. */
  usage: 2,
} as const;

/** Ends the command with a message for the user, without a stack. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

export function usageFailure(message: string): Failure {
  return new Failure(message, exitCodes.usage);
}

/** The `code` of a system error (`EADDRINUSE`, `ENOENT` …), or `undefined` for any other value. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
