import { parseDuration } from "../../knative/duration.ts";
import { SYSTEM_NAMESPACE } from "../../knative/names.ts";
import { isKubeError, type KubeClient } from "../client.ts";
import { type ConfigMap, ConfigMapKind } from "../kinds/core.ts";
import type { Stored } from "../object.ts";
import { defaultElectionConfig, type ElectionConfig } from "./lease-record.ts";

const BUCKETS_MAX = 10;

/** `config-leader-election`, read at start. Absent keys take the default. @throws Error naming what is wrong. S-130 */
export async function readElectionConfig(client: KubeClient): Promise<ElectionConfig> {
  let map: Stored<ConfigMap>;
  try {
    map = await client.get(ConfigMapKind, { namespace: SYSTEM_NAMESPACE, name: "config-leader-election" });
  } catch (error) {
    if (isKubeError(error, "NotFound")) return defaultElectionConfig;
    throw error;
  }
  return parseElectionConfig(map.data ?? {});
}

/** @throws Error naming the key that is wrong */
export function parseElectionConfig(data: Readonly<Record<string, string>>): ElectionConfig {
  const buckets = data.buckets === undefined ? defaultElectionConfig.buckets : Number(data.buckets);
  if (!Number.isInteger(buckets) || buckets < 1 || buckets > BUCKETS_MAX) {
    throw new Error(`config-leader-election: buckets must be 1 to ${BUCKETS_MAX}`);
  }
  const duration = (key: string, otherwise: number): number => {
    const text = data[key];
    const ms = text === undefined ? otherwise : parseDuration(text);
    if (ms === undefined || ms <= 0)
      throw new Error(`config-leader-election: ${key} must be a duration above 0`);
    return ms;
  };
  return {
    buckets,
    leaseDurationMs: duration("lease-duration", defaultElectionConfig.leaseDurationMs),
    renewDeadlineMs: duration("renew-deadline", defaultElectionConfig.renewDeadlineMs),
    retryPeriodMs: duration("retry-period", defaultElectionConfig.retryPeriodMs),
  };
}
