import { read } from "./values.ts";

/** What the autoscaler needs of `config-deployment`. S-15. */
export interface DeploymentConfig {
  readonly progressDeadlineMs: number;
}

export const defaultDeploymentConfig: DeploymentConfig = { progressDeadlineMs: 600_000 };

/** `undefined` if the deadline is malformed or not positive. */
export function parseDeploymentConfig(data: Readonly<Record<string, string>>): DeploymentConfig | undefined {
  const text = data["progress-deadline"];
  if (text === undefined) return defaultDeploymentConfig;
  const progressDeadlineMs = read.durationMs(text.trim());
  return progressDeadlineMs !== undefined && progressDeadlineMs > 0 ? { progressDeadlineMs } : undefined;
}
