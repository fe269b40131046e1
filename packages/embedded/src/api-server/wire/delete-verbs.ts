import {
  apiVersion,
  badRequest,
  type Clock,
  isBuiltIn,
  type ObjectStore,
  rfc3339,
  type StoredObject,
} from "@rouse/shared";
import { type Answer, json } from "./answer.ts";
import type { ApiResource } from "./api-resource.ts";
import type { Presented, Presenter } from "./present.ts";
import { readAny } from "./read-body.ts";
import { queryOf } from "./read-verbs.ts";
import { readDeleteOptions } from "./request-options.ts";
import type { CollectionTarget, ObjectTarget } from "./request-target.ts";
import type { WriteRequest } from "./write-verbs.ts";

export interface DeleteVerbsDeps {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly presenter: Presenter;
}

/** Kinds whose finished deletion is answered by the object, not by a Status. P-80 */
const ANSWERED_WHOLE: ReadonlySet<string> = new Set(["Service", "ServiceAccount", "Pod"]);

/** Deletion of one object or of a collection. P-80…P-86 */
export class DeleteVerbs {
  readonly #deps: DeleteVerbsDeps;

  constructor(deps: DeleteVerbsDeps) {
    this.#deps = deps;
  }

  async one({ resource, namespace, name }: ObjectTarget, request: WriteRequest): Promise<Answer> {
    const options = readDeleteOptions(request.search, await deleteBody(request));
    const { store } = this.#deps;
    const kind = resource.storedAs;
    const { uid } = store.get(kind, { namespace, name }).metadata;
    const last = store.delete(kind, { namespace, name }, options);
    const isThere =
      options.isDryRun && last.metadata.deletionTimestamp === undefined
        ? false
        : store.find(kind, { namespace, name })?.metadata.uid === uid;
    if (isThere) return json(this.#present(resource, last));
    if (kind.group === "" && ANSWERED_WHOLE.has(kind.kind)) return json(this.#lastOf(resource, last));
    return json(deleted(resource, name, uid));
  }

  async collection({ resource, namespace }: CollectionTarget, request: WriteRequest): Promise<Answer> {
    const options = readDeleteOptions(request.search, await deleteBody(request));
    const { store } = this.#deps;
    const kind = resource.storedAs;
    const items = store.list(kind, queryOf(namespace, request.search)).map((stored) => {
      const { name, namespace: of } = stored.metadata;
      const last = store.delete(kind, { namespace: of, name }, options);
      return store.find(kind, { namespace: of, name }) === undefined ? stored : last;
    });
    const isCustom = !isBuiltIn(resource.kind);
    const objects = items.map((stored) => this.#present(resource, stored));
    return json({
      kind: `${resource.kind.kind}List`,
      apiVersion: apiVersion(resource.kind),
      metadata: { ...(isCustom ? { continue: "" } : {}), resourceVersion: store.resourceVersion },
      items: isCustom ? objects : objects.map(({ kind: _, apiVersion: __, ...item }) => item),
    });
  }

  /** A pod that goes at once is shown as one whose grace is over. */
  #lastOf(resource: ApiResource, stored: StoredObject): Presented {
    const { metadata } = stored;
    if (resource.kind.kind !== "Pod" || metadata.deletionTimestamp !== undefined)
      return this.#present(resource, stored);
    const marks = {
      generation: metadata.generation + 1,
      deletionTimestamp: rfc3339(this.#deps.clock.wall()),
      deletionGracePeriodSeconds: 0,
    };
    return this.#present(resource, { ...stored, metadata: { ...metadata, ...marks } });
  }

  #present(resource: ApiResource, stored: StoredObject): Presented {
    return this.#deps.presenter.object(resource, stored);
  }
}

async function deleteBody(request: WriteRequest): Promise<unknown> {
  const body = await request.body();
  if (body.bytes.length === 0) return undefined;
  const options = readAny("DeleteOptions", body);
  // Clients send it under the group of what they delete (P-81).
  if (options.kind !== undefined && options.kind !== "DeleteOptions") {
    throw badRequest(
      `no kind "${String(options.kind)}" is registered for version "${String(options.apiVersion)}"`,
    );
  }
  return options;
}

function deleted({ kind }: ApiResource, name: string, uid: string): unknown {
  const details = { name, ...(kind.group === "" ? {} : { group: kind.group }), kind: kind.plural, uid };
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
}
