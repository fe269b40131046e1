import {
  type AnyObject,
  apiVersion,
  badRequest,
  type Clock,
  conflict,
  immutableMetadata,
  invalidValue,
  isBuiltIn,
  type Kind,
  type KubeObject,
  memberAt,
  type ObjectAdmission,
  type ObjectStore,
  type Random,
  rfc3339,
  type StoredObject,
  uuidV4,
  type WallMs,
} from "@rouse/shared";
import { type Answer, type Headers, json, methodNotAllowed } from "./answer.ts";
import type { ApiResource } from "./api-resource.ts";
import { checkCustomTypes } from "./custom-shape.ts";
import { toNewEvent } from "./event-view.ts";
import { applyPatchBody, readPatch } from "./patch-body.ts";
import type { Presented, Presenter } from "./present.ts";
import { type Body, readAny, readObject, shapeObject } from "./read-body.ts";
import { queryOf } from "./read-verbs.ts";
import { readDeleteOptions, readWriteOptions } from "./request-options.ts";
import type { Target } from "./request-target.ts";
import { scaled, scaleOf } from "./scale.ts";
import { patchWarnings, warnings } from "./warnings.ts";

export interface WriteVerbsDeps {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly presenter: Presenter;
  /** Defaults and checks of the compiled-in kinds. */
  readonly admission: ObjectAdmission;
}

export interface WriteRequest {
  readonly method: string;
  readonly accept: string | undefined;
  readonly search: URLSearchParams;
  readonly body: () => Promise<Body>;
}

type ObjectTarget = Extract<Target, { kind: "object" }>;
type CollectionTarget = Extract<Target, { kind: "collection" }>;

/** Kinds whose finished deletion is answered by the object, not by a Status. P-80 */
const ANSWERED_WHOLE: ReadonlySet<string> = new Set(["Service", "ServiceAccount", "Pod"]);

/** create, replace, patch, delete, and what their subresources do instead. */
export class WriteVerbs {
  readonly #deps: WriteVerbsDeps;

  constructor(deps: WriteVerbsDeps) {
    this.#deps = deps;
  }

  async handle(target: ObjectTarget | CollectionTarget, request: WriteRequest): Promise<Answer> {
    const isCollection = target.kind === "collection";
    const verb = verbOf(request.method, isCollection);
    if (verb === undefined || target.isWatch) throw methodNotAllowed();
    if (target.kind === "collection") {
      if (!target.resource.verbs.includes(verb)) throw methodNotAllowed();
      return verb === "create" ? this.#create(target, request) : this.#deleteCollection(target, request);
    }
    const { subresource } = target;
    if (subresource === "token") {
      if (request.method !== "POST") throw methodNotAllowed();
      return this.#token(target, request);
    }
    if (request.method === "POST" || subresource === "log") throw methodNotAllowed();
    if (!target.resource.verbs.includes(verb)) throw methodNotAllowed();
    switch (verb) {
      case "update":
        return this.#update(target, request);
      case "patch":
        if (subresource === "finalize") throw methodNotAllowed();
        return this.#patch(target, request);
      default:
        if (subresource !== undefined) throw methodNotAllowed();
        return this.#delete(target, request);
    }
  }

  async #create({ resource, namespace }: CollectionTarget, request: WriteRequest): Promise<Answer> {
    const options = readWriteOptions("CreateOptions", request.search);
    const read = readObject(resource, await request.body());
    const headers = warnings(resource, read, options);
    const object = inNamespace(resource.kind, read.object, namespace ?? "");
    checkCustomTypes(resource.kind, object);
    const { isDryRun } = options;
    const stored = this.#deps.store.create(resource.storedAs, object, {
      isDryRun,
      admission: this.#deps.admission,
    });
    return json(this.#present(resource, stored), { status: 201, headers });
  }

  async #update(target: ObjectTarget, request: WriteRequest): Promise<Answer> {
    const { resource, namespace, name, subresource } = target;
    const options = readWriteOptions("UpdateOptions", request.search);
    const { isDryRun } = options;
    const write = { isDryRun, admission: this.#deps.admission };
    const { store } = this.#deps;
    if (subresource === "scale") {
      const scale = readAny("Scale", await request.body());
      checkNames({ name, namespace }, scale);
      const kind = resource.storedAs;
      return json(
        scaleOf(store.modify(kind, { namespace, name }, (before) => scaled(kind, before, scale), write)),
      );
    }
    const read = readObject(resource, await request.body());
    const headers = warnings(resource, read, options);
    const object = inNamespace(resource.kind, named(read.object, name), namespace);
    checkCustomTypes(resource.kind, object);
    const stored =
      subresource === "finalize"
        ? store.modify(
            resource.storedAs,
            { namespace, name },
            (before) => ({ ...before, spec: object.spec }),
            write,
          )
        : store.update(resource.storedAs, object, subresource === "status" ? "status" : undefined, write);
    return json(this.#present(resource, stored), { headers });
  }

  async #patch(target: ObjectTarget, request: WriteRequest): Promise<Answer> {
    const { resource, namespace, name, subresource } = target;
    const body = await request.body();
    const patch = readPatch(resource, body);
    const options = readWriteOptions("PatchOptions", request.search);
    const write = { isDryRun: options.isDryRun, admission: this.#deps.admission };
    const kind = resource.storedAs;
    const { store } = this.#deps;
    if (subresource === "scale") {
      const stored = store.modify(
        kind,
        { namespace, name },
        (before) =>
          scaled(kind, before, applyPatchBody(patch, { message: "Scale", document: scaleOf(before) })),
        write,
      );
      return json(scaleOf(stored));
    }
    let headers: Headers = {};
    const change = (before: StoredObject): AnyObject => {
      const viewed = resource.storedAs === resource.kind ? before : toNewEvent(before);
      const patched = applyPatchBody(patch, { message: resource.message, document: { ...viewed } });
      const object = patchedObject(resource, { ...viewed, metadata: before.metadata }, patched);
      // Of a status patch everything else is ignored, also what would not do (P-70).
      const taken =
        subresource === "status" ? { ...viewed, metadata: object.metadata, status: object.status } : object;
      const shaped = shapeObject(resource, taken);
      headers = patchWarnings(resource, { read: shaped, patched }, options);
      const next = subresource === "status" ? shaped.object : withStatusOf(resource, shaped.object, before);
      checkCustomTypes(resource.kind, next);
      return next;
    };
    const sub = subresource === "status" ? { subresource: "status" as const } : {};
    const stored = store.modify(kind, { namespace, name }, change, { ...write, ...sub });
    return json(this.#present(resource, stored), { headers });
  }

  async #delete({ resource, namespace, name }: ObjectTarget, request: WriteRequest): Promise<Answer> {
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

  async #deleteCollection({ resource, namespace }: CollectionTarget, request: WriteRequest): Promise<Answer> {
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

  /** A token nobody checks: whoever reaches this API is its one user already. P-23 */
  async #token({ resource, namespace, name }: ObjectTarget, request: WriteRequest): Promise<Answer> {
    const sent = readAny("TokenRequest", await request.body());
    const { uid } = this.#deps.store.get(resource.storedAs, { namespace, name }).metadata;
    const seconds = memberAt(sent, "spec.expirationSeconds");
    const expirationSeconds = typeof seconds === "number" ? seconds : 3_600;
    const now = this.#deps.clock.wall();
    const body = {
      kind: "TokenRequest",
      apiVersion: "authentication.k8s.io/v1",
      metadata: { name, namespace, uid, creationTimestamp: rfc3339(now) },
      spec: { audiences: ["https://kubernetes.default.svc"], expirationSeconds, boundObjectRef: null },
      status: {
        token: uuidV4(this.#deps.random),
        expirationTimestamp: rfc3339((now + expirationSeconds * 1_000) as WallMs),
      },
    };
    return json(body, { status: 201 });
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

function verbOf(method: string, isCollection: boolean): string | undefined {
  switch (method) {
    case "POST":
      return "create";
    case "PUT":
      return isCollection ? undefined : "update";
    case "PATCH":
      return isCollection ? undefined : "patch";
    case "DELETE":
      return isCollection ? "deletecollection" : "delete";
    default:
      return undefined;
  }
}

/** Where the path says it is. @throws KubeError `BadRequest` when the body says otherwise */
function inNamespace(kind: Kind<KubeObject>, object: AnyObject, namespace: string): AnyObject {
  if (!kind.isNamespaced) return object;
  const sent = object.metadata.namespace || namespace;
  if (sent !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  return { ...object, metadata: { ...object.metadata, namespace } };
}

function named(object: AnyObject, name: string): AnyObject {
  checkNames({ name }, object);
  return object;
}

function checkNames({ name, namespace }: { name: string; namespace?: string }, sent: unknown): void {
  const got = memberAt(sent, "metadata.name");
  if (got === undefined || got === "") {
    throw badRequest(
      `the name of the object (${name} based on URL) was undeterminable: name must be provided`,
    );
  }
  if (got !== name) {
    throw badRequest(`the name of the object (${String(got)}) does not match the name on the URL (${name})`);
  }
  const inside = memberAt(sent, "metadata.namespace");
  if (namespace !== undefined && inside && inside !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
}

/** What a patch made, where its members are those of an object of this kind. @throws KubeError */
function patchedObject({ kind }: ApiResource, before: AnyObject, patched: unknown): AnyObject {
  const metadata = memberAt(patched, "metadata");
  if (typeof patched !== "object" || patched === null || typeof metadata !== "object" || metadata === null) {
    throw badRequest("the object provided is unrecognized: metadata is not an object");
  }
  const { name, namespace } = before.metadata;
  checkPatchedNames(metadata, { name, namespace: namespace ?? "" });
  checkUnchanged(kind, before, metadata);
  const version = memberAt(patched, "apiVersion");
  const kindName = memberAt(patched, "kind");
  return {
    ...patched,
    apiVersion: typeof version === "string" ? version : before.apiVersion,
    kind: typeof kindName === "string" ? kindName : before.kind,
    metadata: { ...metadata, name },
  };
}

function checkPatchedNames(metadata: object, { name, namespace }: { name: string; namespace: string }): void {
  const got = memberAt(metadata, "name");
  if (got !== name) {
    throw badRequest(
      `the name of the object (${String(got ?? "")}) does not match the name on the URL (${name})`,
    );
  }
  if ((memberAt(metadata, "namespace") ?? "") !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
}

function checkUnchanged(kind: Kind<KubeObject>, before: AnyObject, metadata: object): void {
  const uid = memberAt(metadata, "uid");
  const { name } = before.metadata;
  if (uid !== undefined && uid !== before.metadata.uid) {
    throw immutableMetadata(kind, name, invalidValue("metadata.uid", uid, "field is immutable"));
  }
  const version = memberAt(metadata, "resourceVersion");
  if (version !== undefined && version !== "" && version !== before.metadata.resourceVersion)
    throw conflict(kind, name);
}

/** A patch of the object leaves its status alone. P-70 */
function withStatusOf({ kind }: ApiResource, object: AnyObject, before: AnyObject): AnyObject {
  if (!kind.hasStatus) return object;
  const { status: _, ...rest } = object;
  return before.status === undefined ? rest : { ...rest, status: before.status };
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
