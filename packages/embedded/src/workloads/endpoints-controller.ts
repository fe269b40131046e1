import { isDeepStrictEqual } from "node:util";
import {
  done,
  type Endpoints,
  EndpointsKind,
  isKubeError,
  type KubeClient,
  type Lister,
  labels as labelNames,
  type ObjectKey,
  objectRef,
  type Pass,
  PORT_PER_POD,
  type Pod,
  type Reconciler,
  rouse,
  type Service,
  type Stored,
} from "@rouse/shared";
import { endpointSubsets } from "./endpoint-subsets.ts";
import { selects } from "./selector-index.ts";

export interface EndpointsControllerDeps {
  readonly client: KubeClient;
  readonly services: Lister<Service>;
  readonly endpoints: Lister<Endpoints>;
  /** With an index on the label of the revision's uid, by which the private Services select. */
  readonly pods: Lister<Pod>;
}

/**
 * Maintains the Endpoints of every Service that has a selector: same name, the Service's labels, the addresses of the
 * pods it selects (K-24). Endpoints of Services without one belong to whoever made them.
 */
export class EndpointsController implements Reconciler {
  readonly name = "endpoints";
  readonly #deps: EndpointsControllerDeps;

  constructor(deps: EndpointsControllerDeps) {
    this.#deps = deps;
  }

  async removed(service: Stored<Service>): Promise<void> {
    if (service.spec.selector === undefined) return;
    const { namespace, name } = service.metadata;
    try {
      await this.#deps.client.delete(EndpointsKind, { namespace, name });
    } catch (error) {
      if (!isKubeError(error, "NotFound")) throw error;
    }
  }

  async reconcile(key: ObjectKey): Promise<Pass> {
    const service = this.#deps.services.get(key);
    if (
      service?.spec.selector === undefined ||
      service.spec.type === "ExternalName" ||
      service.metadata.deletionTimestamp !== undefined
    ) {
      return done;
    }
    const { subsets, isPerPod } = endpointSubsets(service, this.#selected(service));
    const existing = this.#deps.endpoints.get(key);
    const annotations = annotationsFor(existing?.metadata.annotations, isPerPod);
    const labels = service.metadata.labels ?? {};
    if (
      existing !== undefined &&
      isDeepStrictEqual(existing.subsets ?? [], subsets) &&
      isDeepStrictEqual(existing.metadata.labels ?? {}, labels) &&
      isDeepStrictEqual(existing.metadata.annotations ?? {}, annotations)
    ) {
      return done;
    }
    await this.#write({
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: {
        ...objectRef(key),
        ...(Object.keys(labels).length === 0 ? {} : { labels }),
        ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      },
      subsets,
    });
    return done;
  }

  /** Without a resourceVersion: nobody else writes these, and a conflict would only delay a ready pod. */
  async #write(wanted: Endpoints): Promise<void> {
    const { client } = this.#deps;
    try {
      await client.update(EndpointsKind, wanted);
    } catch (error) {
      if (!isKubeError(error, "NotFound")) throw error;
      await client.create(EndpointsKind, wanted);
    }
  }

  *#selected(service: Stored<Service>): Iterable<Stored<Pod>> {
    const { pods } = this.#deps;
    const uid = service.spec.selector?.[labelNames.revisionUid];
    const candidates = uid === undefined ? pods.list() : pods.byLabel(labelNames.revisionUid, uid);
    for (const pod of candidates) {
      const isHere = pod.metadata.namespace === service.metadata.namespace;
      if (isHere && selects(service, pod.metadata.labels ?? {})) yield pod;
    }
  }
}

function annotationsFor(
  before: Readonly<Record<string, string>> | undefined,
  isPerPod: boolean,
): Readonly<Record<string, string>> {
  const { [rouse.queuePort]: _ours, ...others } = before ?? {};
  return isPerPod ? { ...others, [rouse.queuePort]: PORT_PER_POD } : others;
}
