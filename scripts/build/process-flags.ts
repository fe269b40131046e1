/**
 * By program: what its image starts Node with. There is a sidecar in every pod, so it has one thread and small
 * generations, and collects when a quarter of what V8 would let it grow is used.
 */
export const PROCESS_FLAGS: Readonly<Record<string, readonly string[]>> = {
  "queue-proxy": [
    "--single-threaded",
    "--max-semi-space-size=1",
    "--optimize-for-size",
    "--incremental-marking-soft-trigger=25",
    "--incremental-marking-hard-trigger=50",
  ],
};
