import { SYSTEM_NAMESPACE } from "@rouse/shared";
import type { BucketHolders, Holder } from "./bucket-holders.ts";

/** One autoscaler of a StatefulSet: its number is the bucket it holds, and no Leases are needed. S-140. */
export interface OrdinalConfig {
  /** Name of the StatefulSet. */
  readonly name: string;
  readonly ordinal: number;
  readonly service: string;
  /** `http` and `https` as configured; WebSocket's scheme follows from it. */
  readonly protocol: string;
  readonly port: number;
  readonly clusterDomain: string;
}

/** `<name>-<n>`; `undefined` if it is not of that form. */
export function parseOrdinal(text: string): { readonly name: string; readonly ordinal: number } | undefined {
  const match = /^(.+)-(\d+)$/.exec(text);
  return match?.[1] === undefined ? undefined : { name: match[1], ordinal: Number(match[2]) };
}

/** Bucket number i is held by pod number i. S-140. */
export class OrdinalHolders implements BucketHolders {
  readonly #config: OrdinalConfig;
  readonly #buckets: readonly string[];

  constructor(config: OrdinalConfig, buckets: readonly string[]) {
    this.#config = config;
    this.#buckets = buckets;
  }

  holder(bucket: string): Holder | undefined {
    const { name, ordinal, service, protocol, port, clusterDomain } = this.#config;
    const index = this.#buckets.indexOf(bucket);
    if (index === -1) return undefined;
    if (index === ordinal) return { kind: "local" };
    const scheme = protocol === "https" || protocol === "wss" ? "wss" : "ws";
    const host = `${name}-${index}.${service}.${SYSTEM_NAMESPACE}.svc.${clusterDomain}`;
    return { kind: "remote", urls: [`${scheme}://${host}:${port}`] };
  }
}
