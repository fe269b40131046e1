/** What its image starts the sidecar with; docs/decisions say what each is good for. */
export const SIDECAR_FLAGS = [
  "--single-threaded",
  "--max-semi-space-size=1",
  "--optimize-for-size",
  "--incremental-marking-soft-trigger=25",
  "--incremental-marking-hard-trigger=50",
];
