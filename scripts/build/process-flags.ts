/**
 * By program: what its image starts Node with. There is a sidecar in every pod, so it has one thread and small
 * generations (docs/decisions/0011).
 */
export const PROCESS_FLAGS: Readonly<Record<string, readonly string[]>> = {
  "queue-proxy": ["--single-threaded", "--max-semi-space-size=1", "--optimize-for-size"],
};
