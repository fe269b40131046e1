import {
  Informer,
  type InformerDeps,
  type Lease,
  LeaseKind,
  objectKey,
  parseIdentity,
  SYSTEM_NAMESPACE,
} from "@rouse/shared";
import type { BucketHolders, Holder } from "./bucket-holders.ts";

export interface LeaseHoldersOptions {
  readonly ownIp: string;
  /** Port autoscalers take stats on. */
  readonly port: number;
  readonly clusterDomain: string;
  readonly buckets: readonly string[];
  readonly onChange: (bucket: string) => void;
}

/** Who holds each bucket, as its Lease says. S-135, S-137. */
export class LeaseHolders implements BucketHolders, Disposable {
  readonly #options: LeaseHoldersOptions;
  readonly #leases: Informer<Lease>;

  constructor(deps: InformerDeps, options: LeaseHoldersOptions) {
    this.#options = options;
    const names = new Set(options.buckets);
    this.#leases = new Informer(deps, LeaseKind, { namespace: SYSTEM_NAMESPACE }).handle({
      changed: ({ metadata, spec }, before) => {
        if (names.has(metadata.name) && before?.spec.holderIdentity !== spec.holderIdentity) {
          options.onChange(metadata.name);
        }
      },
      removed: ({ metadata }) => {
        if (names.has(metadata.name)) options.onChange(metadata.name);
      },
    });
  }

  async start(): Promise<void> {
    await this.#leases.start();
  }

  holder(bucket: string): Holder | undefined {
    const { ownIp, port, clusterDomain } = this.#options;
    const lease = this.#leases.get(objectKey({ namespace: SYSTEM_NAMESPACE, name: bucket }));
    const identity = parseIdentity(lease?.spec.holderIdentity);
    if (identity === undefined) return undefined;
    if (identity.podIp === ownIp) return { kind: "local" };
    const host = identity.podIp.includes(":") ? `[${identity.podIp}]` : identity.podIp;
    const service = `${bucket}.${SYSTEM_NAMESPACE}.svc.${clusterDomain}`;
    return { kind: "remote", urls: [`ws://${host}:${port}`, `ws://${service}:${port}`] };
  }

  [Symbol.dispose](): void {
    this.#leases[Symbol.dispose]();
  }
}
