import { join, relative, resolve } from "node:path";
import { usageFailure } from "../failure.ts";

/** Longest path of a Unix domain socket, without its final zero byte: `sun_path` on Linux; macOS has 104. */
const SOCKET_PATH_BYTES_MAX = 103;

/**
 * Where the platform that keeps its state in `dataDir` listens for `rouse get` and the others. The absolute path, or
 * where that is too long for the system, the one from `cwd`, which has to be the process's own.
 * @throws Failure if neither fits
 */
export function socketPath(dataDir: string, cwd: string): string {
  const absolute = join(resolve(cwd, dataDir), "api.sock");
  const fitting = [absolute, relative(cwd, absolute)].find(
    (path) => Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX,
  );
  if (fitting !== undefined) return fitting;
  throw usageFailure(
    `${absolute} is too long for a socket (${SOCKET_PATH_BYTES_MAX} bytes); choose a shorter --data-dir`,
  );
}
