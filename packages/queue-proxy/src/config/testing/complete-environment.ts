import type { Environment } from "../../config.ts";

/** The variables that have to be there. Spec §2 */
export const completeEnvironment: Environment = {
  CONTAINER_CONCURRENCY: "10",
  QUEUE_SERVING_PORT: "8012",
  QUEUE_SERVING_TLS_PORT: "8112",
  USER_PORT: "8080",
  REVISION_TIMEOUT_SECONDS: "300",
  SERVING_LOGGING_CONFIG: "",
  SERVING_LOGGING_LEVEL: "",
  SERVING_NAMESPACE: "default",
  SERVING_CONFIGURATION: "",
  SERVING_REVISION: "hello-00001",
  SERVING_POD: "pod-1",
  SERVING_POD_IP: "10.0.0.1",
};
