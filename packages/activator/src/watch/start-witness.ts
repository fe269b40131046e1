import {
  Informer,
  type InformerDeps,
  labels,
  objectKey,
  type Pod,
  PodKind,
  type Stored,
} from "@rouse/shared";
import type { RevisionTarget } from "../resolve/revision-target.ts";
import type { RevisionSource } from "./revision-source.ts";
import type { StartEvidence } from "./start-failure.ts";

/** Sees how the pods of revisions start: what `startFailure` decides from. */
export class StartWitness implements Disposable {
  readonly #pods: Informer<Pod>;
  readonly #revisions: Pick<RevisionSource, "get">;

  constructor(
    deps: InformerDeps,
    revisions: Pick<RevisionSource, "get">,
    changed: (pod: Stored<Pod>) => void,
  ) {
    this.#revisions = revisions;
    this.#pods = new Informer<Pod>(deps, PodKind, { labelSelector: labels.revision })
      .indexBy(labels.revision)
      .handle({ changed, removed: changed });
  }

  /** Watches pods, which the contract's role may not; without it there is what the revision says. */
  start(): Promise<void> {
    return this.#pods.start();
  }

  /** `undefined`: the revision is gone. */
  of({ namespace, name }: RevisionTarget): StartEvidence | undefined {
    const revision = this.#revisions.get(objectKey({ namespace, name }));
    if (revision === undefined) return undefined;
    const pods = this.#pods
      .byLabel(labels.revision, name)
      .filter(({ metadata }) => metadata.namespace === namespace && metadata.deletionTimestamp === undefined);
    return { revision, pods };
  }

  [Symbol.dispose](): void {
    this.#pods[Symbol.dispose]();
  }
}
