import { Informer, type InformerDeps, type InformerHandler, type Lister } from "./informer.ts";
import { type Endpoints, EndpointsKind } from "./kinds/core.ts";
import { type EndpointSlice, EndpointSliceKind } from "./kinds/discovery.ts";
import { type AddressFamily, familyOf, mergeSlices } from "./merge-slices.ts";
import { type ObjectKey, objectKey, type Stored } from "./object.ts";

/** Whose objects say who is behind a Service: the old ones, or slices, of which a dual-stack Service has several. */
export type EndpointsSource =
  | { readonly kind: "endpoints" }
  | { readonly kind: "slices"; readonly preferred: AddressFamily };

/** The endpoints of some Services, whichever objects they are read from. */
export interface EndpointsFollower extends Lister<Endpoints>, Disposable {
  /** To be called before `start`. */
  handle(handler: InformerHandler<Endpoints>): this;
  /** Resolves once everything there is is known. */
  start(): Promise<void>;
}

/** By the labels of their Services, which the objects carry as well, or of one Service. */
type WhichEndpoints =
  | { readonly labelSelector: string; readonly indexed?: string }
  | { readonly namespace: string; readonly name: string };

/**
 * What `ROUSE_ENDPOINTS` says; `undefined` if it makes no sense. Of addresses of both families those of one's own are
 * preferred.
 */
export function parseEndpointsSource(text: string, podIp: string): EndpointsSource | undefined {
  if (text === "" || text === "endpoints") return { kind: "endpoints" };
  return text === "slices" ? { kind: "slices", preferred: familyOf(podIp) } : undefined;
}

const SERVICE_NAME = "kubernetes.io/service-name";

export function followEndpoints(
  deps: InformerDeps,
  source: EndpointsSource,
  which: WhichEndpoints,
): EndpointsFollower {
  if (source.kind === "slices") return new SlicedEndpoints(deps, source.preferred, which);
  if ("name" in which) {
    const { namespace, name } = which;
    return new Informer<Endpoints>(deps, EndpointsKind, {
      namespace,
      fieldSelector: `metadata.name=${name}`,
    });
  }
  const informer = new Informer<Endpoints>(deps, EndpointsKind, { labelSelector: which.labelSelector });
  return which.indexed === undefined ? informer : informer.indexBy(which.indexed);
}

/** Endpoints objects put together from slices, one for each Service. */
class SlicedEndpoints implements EndpointsFollower {
  readonly #slices: Informer<EndpointSlice>;
  readonly #preferred: AddressFamily;
  readonly #indexed: string | undefined;
  readonly #merged = new Map<ObjectKey, Stored<Endpoints>>();
  readonly #handlers: InformerHandler<Endpoints>[] = [];

  constructor(deps: InformerDeps, preferred: AddressFamily, which: WhichEndpoints) {
    this.#preferred = preferred;
    this.#indexed = "indexed" in which ? which.indexed : undefined;
    const query =
      "name" in which
        ? { namespace: which.namespace, labelSelector: `${SERVICE_NAME}=${which.name}` }
        : { labelSelector: which.labelSelector };
    const slices = new Informer<EndpointSlice>(deps, EndpointSliceKind, query);
    if (this.#indexed !== undefined) slices.indexBy(this.#indexed);
    this.#slices = slices
      .indexBy(SERVICE_NAME, (slice) => serviceOf(slice))
      .handle({
        changed: (slice, before) => {
          this.#merge(slice);
          if (before !== undefined && serviceOf(before)[0] !== serviceOf(slice)[0]) this.#merge(before);
        },
        removed: (last) => this.#merge(last),
      });
  }

  handle(handler: InformerHandler<Endpoints>): this {
    this.#handlers.push(handler);
    return this;
  }

  start(): Promise<void> {
    return this.#slices.start();
  }

  get(key: ObjectKey): Stored<Endpoints> | undefined {
    return this.#merged.get(key);
  }

  list(): Iterable<Stored<Endpoints>> {
    return this.#merged.values();
  }

  byLabel(label: string, value: string): readonly Stored<Endpoints>[] {
    if (label !== this.#indexed) return [];
    const services = new Set(this.#slices.byLabel(label, value).flatMap((slice) => serviceOf(slice)));
    return [...services].flatMap((service) => this.#merged.get(service) ?? []);
  }

  [Symbol.dispose](): void {
    this.#slices[Symbol.dispose]();
  }

  #merge(slice: Stored<EndpointSlice>): void {
    const [key] = serviceOf(slice);
    if (key === undefined) return;
    const slices = this.#slices.byLabel(SERVICE_NAME, key);
    const before = this.#merged.get(key);
    const [first] = slices;
    if (first === undefined) {
      this.#merged.delete(key);
      if (before !== undefined) for (const handler of this.#handlers) handler.removed(before);
      return;
    }
    const { [SERVICE_NAME]: name = "", ...labels } = first.metadata.labels ?? {};
    const endpoints: Stored<Endpoints> = {
      apiVersion: "v1",
      kind: EndpointsKind.kind,
      metadata: { ...first.metadata, name, labels },
      subsets: mergeSlices(slices, this.#preferred),
    };
    this.#merged.set(key, endpoints);
    for (const handler of this.#handlers) handler.changed(endpoints, before);
  }
}

/** None for a slice that somebody made for no Service. */
function serviceOf({ metadata }: Stored<EndpointSlice>): readonly ObjectKey[] {
  const name = metadata.labels?.[SERVICE_NAME];
  return name === undefined ? [] : [objectKey({ namespace: metadata.namespace, name })];
}
