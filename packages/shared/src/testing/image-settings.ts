/** What a controller gives the sidecar of a small revision, on the contract's ports: whatever starts one without a cluster. */
export const SIDECAR_ENVIRONMENT: Readonly<Record<string, string>> = {
  CONTAINER_CONCURRENCY: "10",
  QUEUE_SERVING_PORT: "8012",
  QUEUE_SERVING_TLS_PORT: "8112",
  USER_PORT: "8080",
  REVISION_TIMEOUT_SECONDS: "300",
  SERVING_READINESS_PROBE: '{"tcpSocket":{"port":8080,"host":"127.0.0.1"},"successThreshold":1}',
  SERVING_LOGGING_CONFIG: "",
  SERVING_LOGGING_LEVEL: "",
  SERVING_NAMESPACE: "default",
  SERVING_CONFIGURATION: "hello",
  SERVING_REVISION: "hello-00001",
  SERVING_POD: "pod-1",
  SERVING_POD_IP: "127.0.0.1",
};

/**
 * What its image starts Node with for the sidecar, of which there is one in every pod: one thread, small generations, and a
 * collection when a tenth of what V8 would let it grow is used.
 */
export const SIDECAR_FLAGS: readonly string[] = [
  "--single-threaded",
  "--max-semi-space-size=1",
  "--optimize-for-size",
  "--incremental-marking-soft-trigger=10",
  "--incremental-marking-hard-trigger=20",
];

/** What its image tells the allocator: one arena, and large pieces apart, which go back to the system when they are free. */
export const SIDECAR_ALLOCATOR: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: "1",
  MALLOC_MMAP_THRESHOLD_: "65536",
  MALLOC_TRIM_THRESHOLD_: "65536",
};

/** What the activator's image tells it: one arena, whose free pages the next burst takes. */
export const ACTIVATOR_ALLOCATOR: Readonly<Record<string, string>> = { MALLOC_ARENA_MAX: "1" };
